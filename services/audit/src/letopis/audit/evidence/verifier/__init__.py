"""A verifier that trusts nobody: the standard library alone, sharing no code with what it verifies."""
