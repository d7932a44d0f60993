"""What somebody with the database, the disk or the keys can do to the chronicle, and what a stranger says of it."""
