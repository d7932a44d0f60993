"""The set of features that a model pins."""
