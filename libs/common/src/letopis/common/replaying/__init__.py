"""Replays: facts told once more to one outside system, on a subject of its own; asked for, allowed and recorded."""
