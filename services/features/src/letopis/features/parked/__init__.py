"""Parked facts of features: who may release them is its own policy; the rest is common's."""
