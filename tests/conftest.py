"""What holds for every test: a busy machine is no failure, so hypothesis counts no time.

Under CI hypothesis has such settings by itself, with examples that do not change from run to run.
"""

import os

from hypothesis import settings

if not os.environ.get("CI"):
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")
