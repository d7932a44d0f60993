"""Who may act: people and services, their roles, groups, keys and end dates."""
