"""The overview of models, and a page for each model and version."""
