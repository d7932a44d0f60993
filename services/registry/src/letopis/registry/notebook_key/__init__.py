"""Keys of notebooks: a person's, for one purpose and use case, for days, revocable at once."""
