"""Trying to break the doors: generated requests by the services' own documents, and inputs that confuse."""
