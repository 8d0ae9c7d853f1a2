"""How much memory this process holds, where the system tells: 0 where it does not.

Linux is asked in /proc, for the peak too: what getrusage calls the peak there begins with that of the process that
started this one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_STATM = Path("/proc/self/statm")  # sizes in pages, the resident set second
_STATUS = Path("/proc/self/status")


def resident_bytes() -> int:
    """Give the resident set now."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0


def peak_bytes() -> int:
    """Give the largest resident set since the program began."""
    try:
        lines = _STATUS.read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))
    except (OSError, ValueError, StopIteration):
        return _peak_by_usage()


def _peak_by_usage() -> int:
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10  # bytes there, KiB elsewhere
