"""What holds for every test: a busy machine is no failure, so hypothesis counts no time.

Under CI hypothesis has such settings by itself, with examples that do not change from run to run.
"""

import os

import pytest
from hypothesis import settings

from tests.processes import end_what_runs

if not os.environ.get("CI"):
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def nothing_left_running():
    """End the processes that a test began and, having failed, did not wait for."""
    yield
    end_what_runs()
