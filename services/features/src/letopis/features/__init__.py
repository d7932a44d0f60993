"""Features: where data is found, defined, read under policy and served; every read is a recorded fact."""
