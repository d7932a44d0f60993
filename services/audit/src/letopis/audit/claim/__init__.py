"""Standing claims: what must never happen, as a query over gap-free ledgers, evaluated without end."""
