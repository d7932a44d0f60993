"""What is watched: a model version, its reference and its thresholds."""
