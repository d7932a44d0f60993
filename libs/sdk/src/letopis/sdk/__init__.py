"""The Python client and the `letopis` command: a thin layer over the services' HTTP API."""
