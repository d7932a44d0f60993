"""One small installation of each release, and the proof that today's code takes it over."""
