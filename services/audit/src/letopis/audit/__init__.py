"""The chronicle: copies of every ledger, sealed so that nobody can quietly rewrite them."""
