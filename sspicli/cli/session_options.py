"""The options every command shares that runs a session, declared once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from sspicli.cli.main import did_you_mean


class Choice(click.Choice[str]):
    """A choice that suggests the nearest value for an unknown one."""

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        """Say what there is to choose from, and what was probably meant."""
        known = [str(choice) for choice in self.choices]
        return f"{value!r} is not one of {', '.join(known)}.{did_you_mean(str(value), known)}"


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What the shared options say, under the names they have on the command line."""

    package: str
    tls: str | None
    client: tuple[str, ...]
    server: tuple[str, ...]
    mode: str
    completion: str
    order: str
    schedule: str | None
    workers: int
    seed: int
    timeout: float
    messages: int
    fault: tuple[str, ...]
    clock: str | None
    record: Path | None
    keylog: Path | None
    include_secrets: bool


def _complete_fault(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[str]:
    from sspicli.cli.fault_completion import complete_fault  # only ever needed by a shell

    return complete_fault(incomplete)


F = TypeVar("F", bound=Callable[..., object])

_FILE = click.Path(dir_okay=False, path_type=Path)

_OPTIONS = (
    click.option("-p", "--package", default="schannel", show_default=True, help="Security package, by its SSPI name."),
    click.option("--tls", type=Choice(["1.2", "1.3"]), help="TLS version of both sides (else both versions are on)."),
    click.option(
        "--client",
        multiple=True,
        metavar="KEY=VALUE",
        help="A setting of the client; repeatable. See sspi-async man handshake.",
    ),
    click.option("--server", multiple=True, metavar="KEY=VALUE", help="A setting of the server; repeatable."),
    click.option(
        "--mode",
        type=Choice(["callback", "poll", "sample"]),
        default="callback",
        show_default=True,
        help="How the drivers learn of completion: in the notify callback, or by polling the call status. With sample "
        "the server is the documentation's own sample, which has a race.",
    ),
    click.option(
        "--completion",
        type=Choice(["inline", "pending", "random"]),
        default="pending",
        show_default=True,
        help="When calls complete: before the queueing function returns, after it, or by the seed.",
    ),
    click.option(
        "--order",
        type=Choice(["fifo", "lifo", "seed"]),
        default="fifo",
        show_default=True,
        help="In what order pending calls complete.",
    ),
    click.option("--schedule", metavar="v1:...", help="Make exactly these choices, as an earlier run printed them."),
    click.option(
        "--workers",
        type=click.IntRange(0, 64),
        default=0,
        show_default=True,
        help="Complete calls on this many worker threads; 0 is stepped, in virtual time.",
    ),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of keys and of choices."),
    click.option(
        "--timeout",
        type=click.FloatRange(0.001, 86_400),
        default=30.0,
        show_default=True,
        help="Seconds (virtual ones when stepped) until a run counts as stuck.",
    ),
    click.option(
        "--messages",
        type=click.IntRange(0, 10_000),
        default=0,
        show_default=True,
        help="Messages each side protects and sends after the handshake.",
    ),
    click.option(
        "--fault",
        multiple=True,
        metavar="WHAT=KIND",
        shell_complete=_complete_fault,
        help="Make a call or a leg misbehave; repeatable. WHAT is SIDE.FUNCTION[#N], with null, refuse, fail, delay or "
        "hang, or [handshakeN.]legN, with tamper:AT:HEX, truncate:SIZE, extend:HEX, split:AT:AT, duplicate, drop, "
        "join, swap or delay:TICKS. AT is an offset, or for tamper a field's path; HEX changes the bytes there by "
        "exclusive or, =HEX replaces them.",
    ),
    click.option("--clock", metavar="TIME", help="Judge certificates at this UTC time, such as 2026-11-22T12:00:00Z."),
    click.option("--record", type=_FILE, metavar="FILE", help="Write the journal to a new file."),
    click.option("--keylog", type=_FILE, metavar="FILE", help="Write the secrets in NSS format to a new file."),
    click.option("--include-secrets", is_flag=True, help="Keep secrets and plaintext in --record and in -f jsonl."),
)


def session_options(function: F) -> F:
    """Add the shared options to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
