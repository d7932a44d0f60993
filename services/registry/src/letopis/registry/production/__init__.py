"""Which version of a model is in production, and the way back."""
