"""A recorded decision scored once more by its pinned version: equal bits, or the difference."""
