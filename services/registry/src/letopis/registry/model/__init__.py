"""A model and the numbering of its versions."""
