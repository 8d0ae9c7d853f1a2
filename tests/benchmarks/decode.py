"""What a field tree of a token costs, against dpkt, and with TLS 1.3 opened against tshark (goal 9).

Said with the ratios, because the three do not do the same. dpkt splits records, hellos and the list of extensions, and
nothing inside an extension or a certificate; ours is every field of every message, with spans and names. So the third
line gives what a field costs. tshark also reads Ethernet, IP and TCP and writes JSON; its start-up is taken off.

Every token is another session's, so nothing random is met twice; what is alike in a client's every handshake is.
"""

from __future__ import annotations

import gc
import importlib
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sspicli.tokens.tls import TlsReader
from sspicli.tokens.tls_fields import message_trees, token_tree
from sspicli.tokens.tree import Node, walk
from tests.benchmarks.contest import Ratio, contest, show
from tests.peers.capture import Sent, write_capture
from tests.tls_pairs import TLS12, Ends, Recipe, Session

SESSIONS = 100
_FEW, _MANY = 20, 220


class Tokens(NamedTuple):
    """Tokens of many sessions: all secrets of each, and what was sent."""

    sessions: list[Session]

    @property
    def size(self) -> int:
        return sum(len(one.sent) for one in self.sessions)


def make(recipe: Recipe, sessions: int) -> Tokens:
    """Make sessions anew, each with its own randoms and shares."""
    ends = Ends(recipe)
    return Tokens([ends.connect() for _ in range(sessions)])


def trees(tokens: Tokens, *, opened: bool) -> Iterator[Node]:
    """Read every token into its trees, as the product does; with the secrets where `opened`."""
    for one in tokens.sessions:
        reader = TlsReader()
        for line in one.secrets if opened else ():
            reader.add_secret(line)
        for sender, token, *_ in one.sent:
            reading = reader.read_token(sender, token)
            yield token_tree(reading)
            yield from message_trees(reading.messages)


def ours(tokens: Tokens, *, opened: bool) -> Callable[[], int]:
    """Make a contestant of ours."""

    def work() -> int:
        for _ in trees(tokens, opened=opened):
            pass
        return tokens.size

    return work


def splitter(tokens: Tokens) -> Callable[[], int] | None:
    """Make a contestant of dpkt; None where it is not installed."""
    try:
        dpkt = importlib.import_module("dpkt")
    except ImportError:
        return None

    def work() -> int:
        for one in tokens.sessions:
            for sent in one.sent:
                records, _ = dpkt.ssl.tls_multi_factory(sent.token)
                for record in records:
                    if record.type == 22:
                        try:
                            dpkt.ssl.TLSHandshake(record.data)
                        except (
                            dpkt.Error,
                            dpkt.ssl.SSL3Exception,
                        ):  # a message it has no class for, or one that is encrypted
                            continue
        return tokens.size

    return work


def dissector(folder: Path, few: Tokens, many: Tokens) -> Callable[[], float] | None:
    """Make a measurement of tshark, seconds of its processor time for a token; None where it is not installed."""
    tshark = shutil.which("tshark")
    if tshark is None:
        return None
    for name, tokens in (("few", few), ("many", many)):
        connections = [
            (20_000 + at, [Sent(sent.sender, sent.token) for sent in one.sent])
            for at, one in enumerate(tokens.sessions)
        ]
        write_capture(folder / f"{name}.pcap", connections)
        lines = [line for one in tokens.sessions for line in one.secrets]
        (folder / f"{name}.keys").write_text("".join(f"{line}\n" for line in lines))

    def spent(name: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [
            tshark,
            "-r",
            str(folder / f"{name}.pcap"),
            "-o",
            f"tls.keylog_file:{folder / name}.keys",
            "-T",
            "json",
        ]
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder)}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return lambda: (spent("many") - spent("few")) / (many.size - few.size)


def against_dpkt() -> None:
    """Compare full trees of clear tokens with dpkt's split, and what a field costs in each."""
    for name, recipe in (("TLS 1.3", Recipe()), ("TLS 1.2", Recipe(TLS12))):
        tokens = make(recipe, SESSIONS)
        anchor = splitter(tokens)
        if anchor is None:
            print("field tree / dpkt: dpkt is not installed (pip install dpkt)")
            return
        result = contest(ours(tokens, opened=False), anchor)
        show(f"{name} token, all fields / dpkt's split", result, 0.5)
        fields = sum(1 for tree in trees(tokens, opened=False) for _ in walk(tree)) / tokens.size
        print(f"{'':4}{fields:.0f} fields a token, {result.ours * 1e6 / fields:.2f} us a field")


def against_tshark() -> None:
    """Compare trees of opened TLS 1.3 tokens with tshark's JSON of the same."""
    few, many = make(Recipe(), _FEW), make(Recipe(), _MANY)
    with tempfile.TemporaryDirectory() as folder:
        anchor = dissector(Path(folder), few, many)
        if anchor is None:
            print("opened field tree / tshark: tshark is not installed")
            return
        work = ours(many, opened=True)
        rounds = [(processor_time(work), anchor()) for _ in range(8)]
    own, other = (statistics.quantiles(times, n=4)[0] for times in zip(*rounds, strict=True))
    show("TLS 1.3 token, opened, all fields / tshark JSON", Ratio(own, other), 0.1)


def processor_time(work: Callable[[], int]) -> float:
    """Count the seconds of this process for one unit of work."""
    gc.collect()
    began = time.process_time()
    units = work()
    return (time.process_time() - began) / units


def decoding() -> None:
    """Print goal 9."""
    against_dpkt()
    against_tshark()


if __name__ == "__main__":
    decoding()
