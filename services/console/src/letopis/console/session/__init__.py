"""Logging in by code and PKCE, and the sealed cookie that remembers it."""
