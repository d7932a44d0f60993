"""Sealed drills: a plan is committed to before anything is injected, and revealed with what caught it, how fast."""
