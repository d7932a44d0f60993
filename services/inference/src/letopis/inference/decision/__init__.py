"""Decisions: the journal that holds them first, and the ledger they are shipped to."""
