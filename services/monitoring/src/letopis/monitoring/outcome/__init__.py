"""Delayed labels and how well scores did against them."""
