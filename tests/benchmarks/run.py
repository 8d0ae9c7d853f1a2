"""Print what the product costs against its anchors: `python -m tests.benchmarks.run [NAME ...]`.

Each line is a ratio of ours to the anchor's, from slices that alternate in one run, with the goal and whether it was
met. Nothing here fails: figures on a shared machine are read by people.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.benchmarks.calls import one_call
from tests.benchmarks.decode import decoding
from tests.benchmarks.handshakes import stepped
from tests.benchmarks.live import live_view
from tests.benchmarks.load import in_flight, memory, on_workers, verifier
from tests.benchmarks.repl import debugging
from tests.benchmarks.replay import replaying
from tests.benchmarks.startup import start_up

BENCHMARKS: dict[str, Callable[[], None]] = {
    "startup": start_up,
    "handshakes": stepped,
    "calls": one_call,
    "workers": on_workers,
    "flight": in_flight,
    "memory": memory,
    "verifier": verifier,
    "decode": decoding,
    "live": live_view,
    "replay": replaying,
    "repl": debugging,
}


def main(names: list[str]) -> int:
    """Run the benchmarks named, or all of them."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
