"""Emergencies as the page shows them."""
