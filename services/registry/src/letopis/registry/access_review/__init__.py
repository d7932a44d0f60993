"""The access review: who can do what, and why, with what one person should not hold together."""
