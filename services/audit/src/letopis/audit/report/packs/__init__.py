"""Reports as they are shipped: one TOML file each; README.md tells the language."""
