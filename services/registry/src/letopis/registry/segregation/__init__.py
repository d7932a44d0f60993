"""Segregation of duties: whose hands are not independent of each other, over logins, commits, loans and teams."""
