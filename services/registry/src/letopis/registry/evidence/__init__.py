"""Proofs that a version is fit: results of checks, pinned by digest."""
