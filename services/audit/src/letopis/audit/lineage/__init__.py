"""Lineage: what was built from what, by which code; as OpenLineage events, and in one answer."""
