"""Facts that a reaction could not take: parked with their reason, and released by two people, who are on record."""
