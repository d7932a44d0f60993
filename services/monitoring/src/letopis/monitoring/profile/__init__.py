"""Counting: fixed bins of the training reference, folded from the decisions ledger."""
