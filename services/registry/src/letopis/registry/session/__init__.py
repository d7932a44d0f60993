"""Compute sessions: who holds how many cores and how much memory, inside the limits of policy."""
