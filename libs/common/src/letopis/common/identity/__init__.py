"""Who is asking: access tokens of the bank's provider, and people as the registry's facts know them."""
