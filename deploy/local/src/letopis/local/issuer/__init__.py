"""The local identity provider: OpenID Connect for demonstrations and small installations, a process of its own."""
