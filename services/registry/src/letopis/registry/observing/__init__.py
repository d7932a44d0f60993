"""Observer mode: an existing registry and past scores are held against our rules; nothing is changed anywhere."""
