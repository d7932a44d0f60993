"""Replays of the ledgers of monitoring: who may ask for one is its own policy; the rest is common's."""
