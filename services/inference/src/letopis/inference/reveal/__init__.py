"""Reveals: the sealed inputs of a decision shown to a person, which is a fact before they are shown."""
