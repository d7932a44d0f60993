"""Copies of ledgers and the Merkle trees over them."""
