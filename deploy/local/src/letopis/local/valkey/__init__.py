"""Valkey from its wheel: one user with a password, everything dangerous left out, writes kept on disk."""
