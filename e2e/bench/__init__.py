"""Figures of this machine: what the work costs here, beside a peer measured in the same run."""
