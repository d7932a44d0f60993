"""Jobs: files scored by the same pipeline, resumable."""
