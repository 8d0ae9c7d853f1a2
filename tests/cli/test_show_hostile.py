"""A recording edited by hand, every checksum right: shown as far as it goes, or refused with record and reason."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sspicli.analysis.witness import ask, ask_about_failure, statuses_given
from sspicli.cli.console import make_console
from sspicli.cli.recordings import open_recording
from sspicli.cli.show import VIEWS, Shown, Wanted
from sspicli.reports import witness as document
from sspicli.sspi.errors import InputError
from sspicli.sspi.status import SecurityStatus
from sspicli.views.look import Look
from sspicli.views.text import ASCII, plain
from sspicli.views.witness import absence_lines, witness_lines
from tests.edited import edits, lines_of, sealed
from tests.handshakes import records_of

IS_DEEP = os.environ.get("SSPICLI_DEEP") == "1"
KINDS: dict[str, dict[str, Any]] = {
    "failed mutual": {"client": ("cert=expired",), "server": ("request-cert=require",)},
    "messages": {"tls": "1.2", "messages": 1, "client": ("alpn=h2",), "server": ("alpn=h2",)},
    "mismatch": {"client": ("tls=1.2",), "server": ("tls=1.3",), "mode": "poll"},
    "resumed": {"client": ("resume=ticket",)},
    "sample": {"mode": "sample", "completion": "inline"},
}


@pytest.fixture(scope="module", params=KINDS)
def lines(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return lines_of(records_of(**KINDS[request.param]))


def wanted(**changes: Any) -> Wanted:
    plain_one = Wanted((), None, "", None, "", "text", 0, timing=True, include_secrets=False)
    return plain_one._replace(**changes)


def everything(path: Path) -> str:
    """Show a recording in every way there is, and ask it for what it failed with."""
    opened = open_recording(path)
    stream = io.StringIO()
    console = make_console(color="never", width=80, stream=stream)
    legs = [leg.number for leg in opened.report().legs]
    for one in (
        wanted(verbosity=2),
        wanted(views=VIEWS),
        wanted(views=VIEWS, side="client"),
        wanted(as_="c", verbosity=1),
        wanted(views=VIEWS, format="json", verbosity=2),
        wanted(format="jsonl"),
        *(wanted(leg=leg, verbosity=2) for leg in legs[:2]),
        *(wanted(leg=leg, format="json") for leg in legs[:1]),
        *(wanted(handshake=number) for number in opened.handshakes[:2]),
    ):
        Shown(opened, one, console).write(console)
    report, look = opened.report(), Look(ASCII, 100, timing=True)
    for said in (ask_about_failure(report, opened.records), ask(report, opened.records, 40)):
        document.testimony(said)
        stream.write("\n".join(plain(row) for row in witness_lines("x", said, look, name="x")))
    seen = ask(report, opened.records, SecurityStatus.SEC_E_OK)
    stream.write("\n".join(plain(row) for row in witness_lines("x", seen, look, name="x")))
    absence_lines("x", statuses_given(opened.records), report.failure, look)
    return stream.getvalue()


@settings(
    deadline=None,
    max_examples=2000 if IS_DEEP else 40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_an_edited_recording_is_shown_or_refused_and_never_a_bug(
    data: st.DataObject, lines: list[dict[str, Any]], tmp_path: Path
):
    path = tmp_path / "edited"
    path.write_bytes(sealed(data.draw(edits(lines))))
    try:
        shown, refused = everything(path), None
    except InputError as error:
        shown, refused = "", error
    assert "\x1b" not in shown
    assert refused is None or ("record" in refused.message and refused.where.startswith(str(path)))


def test_what_was_not_edited_is_shown(lines: list[dict[str, Any]], tmp_path: Path):
    path = tmp_path / "whole"
    path.write_bytes(sealed(lines))
    assert len(everything(path).splitlines()) > 300
