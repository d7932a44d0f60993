"""A person's data: what is held on them, legal holds, and erasure by two persons that leaves every proof standing."""
