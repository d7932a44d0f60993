"""The key store: a process of its own that makes, keeps and destroys the keys of the people facts are about."""
