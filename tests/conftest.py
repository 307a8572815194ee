"""What holds for every tier of tests."""

from hypothesis import settings

# Timings are never asserted: an example takes longer while another test has the cores.
settings.register_profile("nacre", deadline=None)
settings.load_profile("nacre")
