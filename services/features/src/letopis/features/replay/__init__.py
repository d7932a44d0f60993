"""Replays of the ledgers of features: who may ask for one is its own policy; the rest is common's."""
