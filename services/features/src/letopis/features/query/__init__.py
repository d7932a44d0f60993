"""The one gateway through which rows are read, and the facts it writes before them."""
