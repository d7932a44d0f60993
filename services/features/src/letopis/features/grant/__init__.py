"""Who may read which columns, for what purpose, until when."""
