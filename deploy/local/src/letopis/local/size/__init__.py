"""What a fact and a decision cost in bytes, wherever they lie, and what more of them will cost."""
