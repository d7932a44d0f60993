"""What features are about: an entity and its key."""
