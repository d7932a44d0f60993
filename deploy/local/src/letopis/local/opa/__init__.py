"""The policy engine: `opa` on PATH, or our loopback server over the library with the same answers."""
