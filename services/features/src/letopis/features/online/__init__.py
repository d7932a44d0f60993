"""Feature values of now, read under a lease."""
