"""Evidence: packs, proofs, and the verifier that needs nobody's trust."""
