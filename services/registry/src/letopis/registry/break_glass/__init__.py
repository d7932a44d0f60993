"""Breaking the glass: two people put a version into production without its evidence, for hours, and are reviewed."""
