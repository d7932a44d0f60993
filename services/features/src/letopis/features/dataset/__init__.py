"""Immutable training sets: built once, verified for ever."""
