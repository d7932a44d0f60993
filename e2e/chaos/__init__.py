"""Faults on purpose: real parts under load are killed, starved, lied to; one reader counts what was lost."""
