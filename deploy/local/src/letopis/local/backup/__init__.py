"""Backup and restore of a whole installation: databases, tiles and files in one folder, keys in another."""
