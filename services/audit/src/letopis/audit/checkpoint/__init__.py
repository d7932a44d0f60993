"""Signed heads: sealed once a second, locked outside the data, never replaced."""
