"""Standing claims and drills, as audit tells them."""
