"""Heartbeats, and who has fallen silent, as audit tells them."""
