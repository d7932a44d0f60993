"""The chronicle of all ledgers, searched and read."""
