"""PostgreSQL from its wheel: cluster, server, and the databases and roles of services."""
