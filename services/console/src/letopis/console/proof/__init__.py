"""Inclusion proofs of the chronicle, checked here and not believed."""
