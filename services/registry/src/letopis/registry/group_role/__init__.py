"""Roles of groups: what a group of the bank's directory opens, changed by two people and never by configuration."""
