"""Watches what models are fed and how well they do: contract, drift, delayed outcomes, alerts."""
