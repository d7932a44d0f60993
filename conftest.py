"""Every test may ask for real parts by naming their fixtures; none is judged by how long it takes."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["letopis.local.testing", "letopis.local.browsing"]

# A busy machine makes a single example slow; that says nothing about what is promised.
settings.register_profile("letopis", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("letopis")
