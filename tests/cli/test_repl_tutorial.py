"""The first session of the manual page, replayed word for word on a terminal that cannot edit lines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sspicli.cli.repl_tutorial import ARGUMENTS, TRANSCRIPT

if os.name != "posix":
    pytest.skip("a terminal is made by a pty, on POSIX only", allow_module_level=True)

from tests.terminals import OnTerminal

PROMPT = "(sspi "


def typed(transcript: str) -> list[str]:
    """List what stands behind the prompts."""
    return [row.partition("> ")[2] for row in transcript.splitlines() if row.startswith(PROMPT)]


def replayed(lines: list[str]) -> str:
    """Type these lines, and give all that the terminal showed from the first prompt on."""
    run = OnTerminal("repl", *ARGUMENTS, TERM="dumb", NO_COLOR="1", size=(100, 40))
    try:
        for number, line in enumerate(lines, 1):
            while run.raw.count(PROMPT) < number:
                assert run.read()
            run.type(line + "\n")
        assert run.ended() == 0
    finally:
        run.close()
    shown = run.raw.replace("\r\n", "\n")
    return shown[shown.index(PROMPT) :]


def test_the_first_session_goes_word_for_word_as_the_manual_page_says():
    assert replayed(typed(TRANSCRIPT)).strip() == TRANSCRIPT.strip()


def test_the_manual_page_shows_the_first_session():
    page = (Path(__file__).parents[2] / "man" / "sspi-async-repl.1").read_text()
    assert "A FIRST SESSION" in page
    assert "complete server.accept" in page
