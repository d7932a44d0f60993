"""The first administrator of a new installation: one token, used once."""
