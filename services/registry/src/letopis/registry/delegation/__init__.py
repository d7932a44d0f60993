"""Delegation of duties: somebody who is away lends one of their roles to a colleague, up to a day."""
