"""What every page shares: templates, style and script."""
