"""Reports for regulators and the bank: issued and downloaded here, made and recorded by audit."""
