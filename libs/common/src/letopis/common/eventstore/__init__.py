"""Where facts are kept: gap-free ledgers in PostgreSQL, and their twin in memory."""
