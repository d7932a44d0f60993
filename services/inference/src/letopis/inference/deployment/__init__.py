"""Deployments: which application and API version is answered by which promoted version, and for whom."""
