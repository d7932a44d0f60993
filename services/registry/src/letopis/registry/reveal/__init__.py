"""Reveals: the sealed name of a principal shown to a person, which is a fact before it is shown."""
