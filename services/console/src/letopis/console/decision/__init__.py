"""One decision: what was answered, by which version, and the proof."""
