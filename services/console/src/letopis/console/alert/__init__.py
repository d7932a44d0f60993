"""Alerts of monitoring, as the page shows them."""
