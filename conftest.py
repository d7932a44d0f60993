"""Every test may ask for real parts by naming their fixtures."""

pytest_plugins = ["letopis.local.testing", "letopis.local.browsing"]
