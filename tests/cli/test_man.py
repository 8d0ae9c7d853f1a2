"""The man command, and the two faces of a page."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sspicli.cli.main import COMMANDS, ENVIRONMENT, EXIT_CODES
from sspicli.cli.man import Example, build_page, examples, man_page
from sspicli.cli.roff import Item, Lines, Page, Paragraph, Section, plain_text, roff
from sspicli.packages.options import SETTINGS
from sspicli.scenario.schema import schema
from sspicli.scenario.steps import VERBS
from sspicli.sspi.status import SecurityStatus
from tests.processes import environment, sspi

HOSTILE = Page(
    "sspi-async-odd",
    "text that is \\fBsource",
    "2026-01-01",
    '1.0 "quoted"',
    (
        Section(
            "ODD THINGS",
            (
                Paragraph(".TH is no request"),
                Paragraph("'br is none either, and \\n is no escape"),
                Lines((".sp 3", "", "  kept   as it is")),
                Item("-x, --long VALUE", "", (Item("key=a|b", "said ⇄"),)),
            ),
        ),
    ),
)


# -- roff --------------------------------------------------------------------------------------------------------------


def test_text_is_never_source():
    lines = roff(HOSTILE).splitlines()
    assert "\\&.TH is no request" in lines
    assert "\\(aqbr is none either, and \\en is no escape" in lines
    assert "\\&.sp 3" in lines
    assert "sspi\\-async\\-odd \\- text that is \\efBsource" in lines


def test_the_source_is_ascii_whatever_the_text_is():
    assert "said \\[u21C4]" in roff(HOSTILE)
    assert all(roff(build_page(name)).isascii() for name in ("sspi-async", "scenario-format", *COMMANDS))


def test_names_are_bold_and_values_italic():
    lines = roff(HOSTILE).splitlines()
    assert "\\fB\\-x\\fR, \\fB\\-\\-long\\fR \\fIVALUE\\fR" in lines
    assert "\\fBkey\\fR=\\fIa|b\\fR" in lines


def test_plain_text_says_the_same_within_its_width():
    text = plain_text(HOSTILE, 60)
    assert "    .TH is no request\n" in text
    assert "          kept   as it is\n" in text
    assert "    -x, --long VALUE\n        key=a|b\n            said ⇄\n" in text
    for name in ("sspi-async", "scenario-format", *COMMANDS):
        page = build_page(name)
        kept = [
            line.strip()
            for one in page.sections
            for block in one.blocks
            if isinstance(block, Lines)
            for line in block.lines
        ]
        for line in plain_text(page, 72).splitlines():
            assert len(line) <= 72 or line.strip() in kept or " " not in line.strip(), line


# -- what pages say ----------------------------------------------------------------------------------------------------


def titles(name):
    return [section.title for section in build_page(name).sections]


def test_the_overview_names_every_command_and_what_is_emulated():
    overview = plain_text(build_page("sspi-async"), 80)
    for name, (_, sentence) in COMMANDS.items():
        assert f"sspi-async-{name}(1)" in overview
        assert sentence in " ".join(overview.split())
    assert {"WHAT IS EMULATED", "FILES", "EXIT STATUS", "ENVIRONMENT", "SECURITY", "SEE ALSO"} <= set(
        titles("sspi-async")
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_page_has_its_synopsis_options_and_exit_codes(name):
    assert {"SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES", "SEE ALSO"} <= set(
        titles(name)
    )
    text = man_page(name)
    for code in EXIT_CODES:
        assert f"\\fB{int(code)}\\fR" in text
    for variable in ENVIRONMENT:
        assert f"\\fB{variable}\\fR" in text


def test_the_settings_of_both_sides_come_from_their_table():
    page = build_page("handshake")
    settings = next(section for section in page.sections if section.title == "SETTINGS")
    items = [block for block in settings.blocks if isinstance(block, Item)]
    assert [item.term for item in items] == [one.synopsis for one in SETTINGS]
    for item, one in zip(items, SETTINGS, strict=True):
        assert one.text in item.text
        assert (f"({one.side} only)" in item.text) == (one.side != "both")
    text = " ".join(plain_text(page, 80).split())
    for one in SETTINGS:
        for value in one.choices:
            assert value in text


def test_only_pages_with_sides_have_settings():
    assert [name for name in COMMANDS if "SETTINGS" in titles(name)] == ["handshake"]


def test_an_example_says_what_it_ends_with():
    found = examples("Do.\n\n\b\nExamples:\n  sspi-async a\n  sspi-async b 'c d'   # exit 1\n\nMore.")
    assert found == (Example("sspi-async a", 0), Example("sspi-async b 'c d'", 1))
    assert found[1].arguments == ("b", "c d")


# -- the command -------------------------------------------------------------------------------------------------------


def test_off_a_terminal_the_source_is_printed():
    ended = sspi("man", "explain")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == sspi("man", "sspi-async-explain").stdout
    assert ended.stdout.splitlines()[1].startswith(".TH SSPI\\-ASYNC\\-EXPLAIN 1 ")


def test_without_a_page_the_overview_is_shown():
    assert sspi("man").stdout == sspi("man", "sspi-async").stdout


@pytest.mark.parametrize(
    ("page", "help"), [("hanshake", "did you mean 'handshake'?"), ("zzz", f"pages: {', '.join(COMMANDS)}")]
)
def test_an_unknown_page_ends_with_2(page, help):
    ended = sspi("man", page)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f'error: there is no page "{page}"\n  help: {help}\n'


def test_all_pages_are_written_into_a_directory(tmp_path):
    ended = sspi("man", "--write", "new/man1", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == f"wrote {len(COMMANDS) + 2} pages to new/man1\n".replace("/", os.sep)
    assert sorted(path.name for path in (tmp_path / "new" / "man1").iterdir()) == sorted(
        ["sspi-async.1", "sspi-async-scenario-format.7", *(f"sspi-async-{name}.1" for name in COMMANDS)]
    )


def test_pages_that_cannot_be_written_end_with_74(tmp_path):
    (tmp_path / "file").write_text("", encoding="ascii")
    ended = sspi("man", "--write", "file/below", cwd=tmp_path)
    assert ended.returncode == 74
    assert ended.stderr.startswith("error: the pages cannot be written: ")


def on_a_terminal(path, *arguments):
    """Run on a pseudo-terminal with this PATH, and give what it showed."""
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "sspicli", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=environment(PATH=str(path), TERM="dumb"),
    ) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            parts.append(part)
    os.close(ours)
    return process.returncode, b"".join(parts).decode().replace("\r\n", "\n")


def stand_in(directory, script):
    """Put a `man` of our own on the path."""
    file = Path(directory) / "man"
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    file.chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
class TestOnATerminal:
    def test_man_is_given_the_page(self, tmp_path):
        stand_in(tmp_path, 'echo "man $@"; read -r first; echo "$first"')
        code, shown = on_a_terminal(tmp_path, "man", "explain")
        assert code == 0
        assert shown.startswith(('man -l -\n.\\" Made by: ', 'man -l -\n." Made by: '))

    def test_without_man_the_page_is_plain_text(self, tmp_path):
        code, shown = on_a_terminal(tmp_path, "man", "explain")
        assert code == 0
        assert shown.startswith("NAME\n    sspi-async-explain - ")

    def test_when_man_fails_the_page_is_plain_text(self, tmp_path):
        stand_in(tmp_path, "exit 3")
        code, shown = on_a_terminal(tmp_path, "man", "explain")
        assert code == 0
        assert shown.startswith("NAME\n")


# -- the format of scenarios -------------------------------------------------------------------------------------------


def format_text():
    return " ".join(plain_text(build_page("scenario-format"), 100).split())


def test_the_page_of_the_format_says_every_key_step_and_setting_with_its_sentence():
    whole, text = schema(), format_text()
    for part in (whole, *whole["$defs"].values()):
        for key, one in part.get("properties", {}).items():
            assert f" {key}" in text
            is_verb = key in VERBS and part["title"] == VERBS[key].__name__  # its sentence is the step's
            assert " ".join((part if is_verb else one)["description"].split()) in text
    for verb in VERBS:
        assert f" {verb}: " in text
    assert all(word in text for word in SecurityStatus.__members__)


def test_it_is_a_page_of_section_7_and_others_lead_to_it():
    assert man_page("scenario-format").splitlines()[1].startswith(".TH SSPI\\-ASYNC\\-SCENARIO\\-FORMAT 7 ")
    for name in ("scenario", "replay"):
        assert "sspi-async-scenario-format(7)" in plain_text(build_page(name), 80)


def test_the_page_of_a_group_has_a_section_for_each_of_its_commands():
    found = titles("scenario")
    assert [name for name in found if name.startswith("SSPI-ASYNC SCENARIO ")] == [
        f"SSPI-ASYNC SCENARIO {name}" for name in ("NEW", "CHECK", "LIST", "SCHEMA", "FMT")
    ]
