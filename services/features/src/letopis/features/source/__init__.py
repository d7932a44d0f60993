"""Where data comes from: sources, their extracts, dictionaries and classes."""
