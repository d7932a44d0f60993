"""Incidents: a ledger that cannot be copied or sealed as it is, until a person has looked."""
