"""Feature values computed in one go, committed as files and written online."""
