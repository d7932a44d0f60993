"""Replays of the ledgers of inference: who may ask for one is its own policy; the rest is common's."""
