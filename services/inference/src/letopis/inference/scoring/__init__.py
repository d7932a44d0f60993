"""Scoring: the hot path from a row to a recorded, answered decision."""
