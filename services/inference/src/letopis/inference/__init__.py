"""Scoring with deployed models: no answer leaves before its record is durable."""
