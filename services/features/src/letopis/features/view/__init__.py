"""Feature views: SQL over sources, in versions, joined point in time."""
