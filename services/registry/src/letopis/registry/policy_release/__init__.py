"""Changes of policy by data: drafted, rehearsed over recorded decisions, published by a second person."""
