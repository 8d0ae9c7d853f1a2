"""Many sessions against bare connections: speed goals 5, 7 and 8, and the leak run: `python -m tests.benchmarks.load`.

Goal 5: a fleet on 2 workers with sessions in flight, against a bare loop on each of 2 threads. Goal 7: sessions in
flight against as many bare connections in flight, time and memory, and 10,000 in flight against 500. Processor time of
the whole process is compared, so that a busy machine does not decide. Memory is measured in a process of its own for
each contestant: what one frees stays with it.

`python -m tests.benchmarks.load --leak 100000 [--workers 2]` makes that many handshakes and prints, every tenth of
them, the resident set, the threads and the descriptors.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sspicli.analysis.load import Outcome, outcome
from sspicli.cli.collector import Collector
from sspicli.cli.memory import peak_bytes, resident_bytes
from sspicli.journal.journal import Journal
from sspicli.packages.catalog import create_package
from sspicli.packages.certificates import Authority
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import EndpointSetup, build
from sspicli.runtime.api import no_description, packages_by_name
from sspicli.session.drivers import Plan
from sspicli.session.fleet import Credentials, Fleet
from sspicli.session.pair import Blueprint
from sspicli.sspi.package import Role
from tests.benchmarks.bare import BareLoop
from tests.benchmarks.contest import Ratio, contest, show

Judge = Callable[[int, Journal], object]

MANY, FEW = 10_000, 500
SEED = 1


def blueprint() -> Blueprint:
    """Plan TLS 1.3 handshakes with throw-away certificates, and nothing else."""
    settings = {side: parse_settings(side, ["tls=1.3"]) for side in ("client", "server")}
    setup = build(client=settings["client"], server=settings["server"], seed=SEED, clock=int(time.time()))
    return Blueprint(
        client=plan(Role.CLIENT, setup.client),
        server=plan(Role.SERVER, setup.server),
        find=packages_by_name({"schannel": create_package("schannel")}),
        describe=no_description,
    )


def plan(role: Role, setup: EndpointSetup, *, handshakes: int = 1) -> Plan:
    """Plan handshakes with one credential, and nothing else."""
    return Plan(
        role=role,
        package="Schannel",
        auth_data=setup.auth_data,
        credential_use=setup.credential_use,
        requirements=setup.requirements,
        target_name=setup.target_name,
        handshakes=handshakes,
    )


def keep_nothing(number: int, journal: Journal) -> int:
    """Judge nothing: for what the sessions alone cost."""
    return number


def glance(number: int, journal: Journal) -> Outcome:
    """Judge as `handshake --count` does with `--judge failed`."""
    return outcome(number, journal.records, judges=False)


def by_rules(number: int, journal: Journal) -> Outcome:
    """Judge as `handshake --count` does."""
    return outcome(number, journal.records, judges=True)


class Flown:
    """A pair of credentials, and fleets over it."""

    def __init__(self) -> None:
        self._plan = blueprint()
        self.journal = Journal()
        self._credentials = Credentials(self._plan, self.journal)
        assert self._credentials.acquire(), "the credentials of this benchmark are good"

    def fleet(self, total: int, *, in_flight: int = 1, workers: int = 0, judge: Judge = keep_nothing) -> Fleet[object]:
        """Make a fleet."""
        return Fleet(self._plan, self._credentials.loans, judge, total=total, in_flight=in_flight, workers=workers)

    def fly(self, total: int, *, in_flight: int = 1, workers: int = 0, judge: Judge = keep_nothing) -> int:
        """Run that many sessions; how many came to their end."""
        with Collector():
            return sum(1 for _ in self.fleet(total, in_flight=in_flight, workers=workers, judge=judge).run())

    def free(self) -> str:
        """Free the credentials; how that ended."""
        return self._credentials.free()


class BareConnections:
    """Bare connections, one loop for each thread."""

    def __init__(self, threads: int = 1) -> None:
        authority = Authority.create(seed=SEED, clock=int(time.time()))
        certificate = authority.issue("valid", "ed25519", name="localhost", usage="server")
        self._loops = [BareLoop(certificate, authority.root_der) for _ in range(threads)]

    def fly(self, total: int, *, in_flight: int) -> int:
        """Make `total` handshakes, `in_flight` of them taking turns; with the collector off, as ours."""
        with Collector():
            return self._fly(total, in_flight)

    def _fly(self, total: int, in_flight: int) -> int:
        loop = self._loops[0]
        queue = deque(loop.steps() for _ in range(in_flight))
        begun = len(queue)
        while queue:
            steps = queue.popleft()
            if next(steps, _ENDED) is not _ENDED:
                queue.append(steps)
            elif begun < total:
                begun += 1
                queue.append(loop.steps())
        return total

    def on_threads(self, total: int) -> int:
        """Make `total` handshakes, each loop its part on a thread of its own."""
        part = total // len(self._loops)
        threads = [threading.Thread(target=_repeat, args=(loop, part)) for loop in self._loops]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return part * len(threads)


_ENDED = object()


def _repeat(loop: BareLoop, times: int) -> None:
    for _ in range(times):
        loop.handshake()


# -- goal 5 ------------------------------------------------------------------------------------------------------------


def on_workers() -> None:
    """Compare two workers, with sessions in flight, with the bare loop on two threads (goal 5)."""
    flown, bare = Flown(), BareConnections(threads=2)
    units = 100

    def anchor() -> int:
        return bare.on_threads(units)

    for in_flight in (2, 4, 16):

        def ours(in_flight: int = in_flight) -> int:
            return flown.fly(units, in_flight=in_flight, workers=2)

        show(f"2 workers, {in_flight} in flight / bare on 2 threads", contest(ours, anchor, slices=12), 1.10)


def verifier() -> None:
    """Compare sessions that are all judged by the misuse rules with sessions that are only glanced at (goal 8)."""
    flown, units = Flown(), 100

    def on() -> int:
        return flown.fly(units, judge=by_rules)

    def off() -> int:
        return flown.fly(units, judge=glance)

    show("every session judged / glanced at", contest(on, off, slices=20), 1.25)


# -- goal 7 ------------------------------------------------------------------------------------------------------------


def in_flight(many: int = MANY, few: int = FEW, rounds: int = 3) -> None:
    """Compare many sessions in flight with as many bare connections, and with few of our own (goal 7)."""
    flown, bare = Flown(), BareConnections()
    contestants: dict[str, Callable[[], object]] = {
        "ours": lambda: flown.fly(many, in_flight=many),
        "bare": lambda: bare.fly(many, in_flight=many),
        "few": lambda: flown.fly(many, in_flight=few),
    }
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            gc.collect()
            began = time.process_time()
            run()
            times[name].append((time.process_time() - began) / many)
    ours, anchor, small = (min(times[name]) for name in ("ours", "bare", "few"))
    show(f"{many:,} in flight / bare connections in flight", Ratio(ours, anchor), 1.15)
    show(f"{many:,} in flight / {few} in flight", Ratio(ours, small), 1.15)


def memory(many: int = MANY) -> None:
    """Compare the memory that sessions in flight add with that of as many bare connections (goal 7)."""
    ours, bare = (_memory_of(name, many) for name in ("ours", "bare"))
    met = "met" if ours / bare <= 1.05 else "missed"
    print(
        f"{f'memory of {many:,} in flight / bare':<46} {ours / bare:5.2f}   goal 1.05 {met}   "
        f"({ours / many / 1024:,.1f} KiB against {bare / many / 1024:,.1f} KiB)"
    )


def _memory_of(name: str, many: int) -> int:
    command = [sys.executable, "-m", "tests.benchmarks.load", "--memory", name, "--count", str(many)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _print_memory(name: str, many: int) -> None:
    """Print the bytes that a contestant's flight added to this process."""
    if name == "ours":
        flown = Flown()
        flown.fly(10)
        before = resident_bytes()
        flown.fly(many, in_flight=many)
    else:
        bare = BareConnections()
        bare.fly(10, in_flight=1)
        before = resident_bytes()
        bare.fly(many, in_flight=many)
    print(peak_bytes() - before)


# -- no leak -----------------------------------------------------------------------------------------------------------


class Held(NamedTuple):
    """What the process holds: resident bytes, threads, descriptors (-1 where they cannot be counted)."""

    resident: int
    threads: int
    descriptors: int


def held() -> Held:
    """Look at this process."""
    folder = Path("/proc/self/fd")
    descriptors = len(list(folder.iterdir())) if folder.is_dir() else -1
    return Held(resident_bytes(), threading.active_count(), descriptors)


def leak(total: int, *, workers: int = 0, in_flight: int = 1, judge: Judge = by_rules) -> Iterator[Held]:
    """Make `total` handshakes; what is held before, after each tenth, and after the credentials were freed."""
    flown = Flown()
    yield held()
    for _ in range(10):
        ended = flown.fly(total // 10, in_flight=in_flight, workers=workers, judge=judge)
        assert ended == total // 10, "every session comes to its end"
        yield held()
    assert flown.free() == "finished", "the credentials are freed"
    yield held()


def print_leak(total: int, *, workers: int, in_flight: int) -> None:
    """Print what is held as `total` handshakes go by."""
    began = time.monotonic()
    for at, now in enumerate(leak(total, workers=workers, in_flight=in_flight)):
        done = min(at, 10) * total // 10
        print(
            f"{done:>9,} handshakes   {now.resident / 1024:>9,.0f} KiB resident   {now.threads} threads   "
            f"{now.descriptors} descriptors   {time.monotonic() - began:,.0f} s",
            flush=True,
        )


def main() -> None:
    """Print the ratios, or what is asked for."""
    parser = argparse.ArgumentParser(description="Many sessions against bare connections.")
    parser.add_argument("--leak", type=int, metavar="N")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--in-flight", type=int, default=1)
    parser.add_argument("--memory", choices=["ours", "bare"])
    parser.add_argument("--count", type=int, default=MANY)
    asked = parser.parse_args()
    if asked.leak:
        print_leak(asked.leak, workers=asked.workers, in_flight=asked.in_flight)
    elif asked.memory:
        _print_memory(asked.memory, asked.count)
    else:
        on_workers()
        verifier()
        in_flight(asked.count)
        memory(asked.count)


if __name__ == "__main__":
    main()
