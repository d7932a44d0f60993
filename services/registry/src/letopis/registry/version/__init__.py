"""A version: a complete, content-addressed, signed bundle."""
