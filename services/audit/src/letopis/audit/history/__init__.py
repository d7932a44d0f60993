"""The time machine: what was known, who could do what and what ran, at any moment."""
