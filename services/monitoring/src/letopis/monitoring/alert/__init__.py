"""Alerts as episodes: opened, continued, acknowledged, resolved."""
