"""What answers under which name, as inference tells it."""
