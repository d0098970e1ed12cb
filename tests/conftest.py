"""One hypothesis profile for all tests: no deadlines on shared machines, the same examples every time."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "dawn", deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("dawn")
