"""Witnesses: others who sign that a log only ever grew. A witness runs alone, away from the chronicle it watches."""
