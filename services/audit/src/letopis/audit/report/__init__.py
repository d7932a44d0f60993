"""Reports: what a regulator reads, made again from the facts whenever asked."""
