"""`sspi-async show`: every view from the recording alone, its options, its documents, and how it refuses."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sspicli.analysis.report import report
from sspicli.cli.console import make_console
from sspicli.cli.handshake import command as handshake_command
from sspicli.cli.recordings import Opened
from sspicli.cli.show import VIEWS, Shown, Wanted, command
from sspicli.journal.events import KeyLogged
from sspicli.journal.journal import Record
from sspicli.journal.recording import read_recording
from sspicli.sspi.errors import InputError, SspiCliError, UsageError, WriteError
from tests.handshakes import CLOCK, records_of
from tests.processes import sspi

KINDS: dict[str, dict[str, Any]] = {
    "ok": {},
    "failed mutual": {"client": ("cert=expired",), "server": ("request-cert=require",)},
    "tls12 messages": {"tls": "1.2", "messages": 2, "client": ("alpn=h2",), "server": ("alpn=h2",)},
    "anonymous": {"server": ("request-cert=yes",), "mode": "poll"},
    "resumed": {"client": ("resume=ticket",)},
    "mismatch": {"client": ("tls=1.2",), "server": ("tls=1.3",)},
    "stuck": {"fault": ("server.accept#2=hang",)},
    "refused": {"fault": ("client.init#1=refuse",)},
    "null": {"fault": ("server.create=null",)},
    "sample": {"mode": "sample", "completion": "inline"},
    "threads": {"workers": 2},
    "large": {"server": ("cert=large",)},
}
PLAIN = Wanted((), None, "", None, "", "text", 0, timing=True, include_secrets=False)
WANTED = {
    "screen": PLAIN,
    "screen -vv": PLAIN._replace(verbosity=2),
    "verdict": PLAIN._replace(verbosity=-1),
    "views": PLAIN._replace(views=VIEWS),
    "views of one side": PLAIN._replace(views=VIEWS[1:], side="server"),
    "views without times": PLAIN._replace(views=VIEWS, timing=False),
    "c": PLAIN._replace(as_="c"),
    "c with bytes": PLAIN._replace(as_="c", verbosity=1),
    "json": PLAIN._replace(format="json", views=VIEWS, verbosity=2),
    "json without times": PLAIN._replace(format="json", views=VIEWS, timing=False),
    "jsonl": PLAIN._replace(format="jsonl", include_secrets=True),
    "jsonl without secrets": PLAIN._replace(format="jsonl"),
    "leg": PLAIN._replace(leg=1, verbosity=2),
    "leg as json": PLAIN._replace(leg=1, format="json", verbosity=2),
}


def drawn(records: list[Record], wanted: Wanted, *, ascii: bool = False, width: int = 80) -> str:
    """Draw records in one way."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="utf-8", newline="\n")
    console = make_console(color="never", ascii=ascii, width=width, stream=stream)
    Shown(Opened("a recording", records, has_secrets=True, note="", secrets=()), wanted, console).write(console)
    return written.getvalue().decode()


@pytest.fixture(scope="module", params=KINDS)
def told_twice(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Record], Path]:
    """Run a handshake; its live records, and the recording of it."""
    path = tmp_path_factory.mktemp("told") / "run.sspirec"
    return records_of(record=path, include_secrets=True, **KINDS[request.param]), path


@pytest.mark.parametrize("way", WANTED)
def test_a_view_of_the_live_run_is_byte_for_byte_that_of_its_recording(told_twice: tuple[list[Record], Path], way: str):
    made, path = told_twice
    read = read_recording(path).records
    has_legs = any(type(record.event).__name__ == "TokenSent" for record in made)
    wanted = WANTED[way] if has_legs else WANTED[way]._replace(leg=None)
    shown = drawn(made, wanted)
    assert shown == drawn(read, wanted)
    assert shown.endswith("\n")


def test_no_view_is_wider_than_it_may_be(told_twice: tuple[list[Record], Path]):
    for width in (80, 120):
        for view in VIEWS:
            shown = drawn(told_twice[0], PLAIN._replace(views=(view,)), width=width)
            assert max(map(len, shown.splitlines())) <= width, view
        for leg in (1, 2, 3) if len(report(told_twice[0]).legs) > 2 else ():
            shown = drawn(told_twice[0], PLAIN._replace(leg=leg), width=width)
            assert max(map(len, shown.splitlines())) <= width, leg


def test_every_view_can_be_drawn_in_ascii(told_twice: tuple[list[Record], Path]):
    for wanted in (PLAIN._replace(views=VIEWS), PLAIN._replace(as_="c")):
        assert drawn(told_twice[0], wanted, ascii=True).isascii()


def test_jsonl_with_secrets_is_the_recording_itself(told_twice: tuple[list[Record], Path]):
    records, path = told_twice
    shown = drawn(records, WANTED["jsonl"])
    assert shown == path.read_text()


# -- the command -------------------------------------------------------------------------------------------------------
MUTUAL = ["--server", "request-cert=require", "--client", "cert=expired", "--clock", CLOCK, "--seed", "7"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a failed mutual-TLS handshake, with its key log apart; keep what handshake printed."""
    where = tmp_path_factory.mktemp("recorded")
    files = ["--record", str(where / "run"), "--keylog", str(where / "keys")]
    printed = CliRunner().invoke(handshake_command, [*MUTUAL, *files], standalone_mode=False)
    (where / "printed").write_text(printed.stdout)
    CliRunner().invoke(handshake_command, ["--client", "resume=ticket", "--record", str(where / "resumed")])
    return where


def show(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], standalone_mode=False)


def document(*words: object) -> dict[str, Any]:
    return dict(json.loads(show(*words, "-f", "json").stdout))


def refusal(*words: object) -> SspiCliError:
    error = show(*words).exception
    assert isinstance(error, SspiCliError)
    return error


def test_showing_a_failed_handshake_succeeds(folder: Path):
    ended = show(folder / "run")
    assert ended.return_value == 0
    assert ended.stdout.startswith("FAILED  Schannel TLS 1.3  leg 4, server: SEC_E_CERT_EXPIRED")
    assert ended.stderr == ""


def test_with_the_key_log_the_screen_is_the_one_that_handshake_printed(folder: Path):
    assert show(folder / "run", "--keylog", folder / "keys").stdout == (folder / "printed").read_text()


def test_without_secrets_the_ladder_says_plainly_what_stays_closed(folder: Path):
    shown = " ".join(show(folder / "run").stdout.split())
    assert "{Encrypted ×5}" in shown
    assert "9 encrypted records stayed closed: their secrets are not on record" in shown
    assert "--keylog FILE of show opens them" in shown
    assert "stayed closed" not in show(folder / "run", "--keylog", folder / "keys").stdout


def test_a_key_log_of_another_session_opens_nothing_and_is_said_to_be(folder: Path, tmp_path: Path):
    other = tmp_path / "keys"
    other.write_text(f"CLIENT_RANDOM {'ab' * 32} {'cd' * 48}\n")
    ended = show(folder / "run", "--keylog", other)
    assert ended.return_value == 0
    assert ended.stderr == "note: the key log has no secrets of this recording\n"
    assert "stayed closed" in ended.stdout


def test_a_recording_cut_short_is_shown_with_a_note_and_without_a_claim(folder: Path, tmp_path: Path):
    lines = (folder / "run").read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut"
    cut.write_bytes(b"".join(lines[:30]) + lines[30][:40])
    ended = show(cut)
    assert ended.return_value == 0
    assert ended.stderr.startswith(f"note: {cut}:31: the line is cut short")
    assert ended.stdout.startswith("UNFINISHED")
    shown = " ".join(ended.stdout.split())
    assert "the records end before the run did; the last call to complete was client.call2" in shown
    assert document(cut)["verdict"] == "unfinished"
    assert document(cut)["recording"]["records"] == 29


@pytest.mark.parametrize("text", ["", "not a recording\n", '{"schema":"sspi-async/recording/9"}\n'])
def test_what_is_no_recording_is_an_input_error(text: str, tmp_path: Path):
    path = tmp_path / "file"
    path.write_text(text)
    error = refusal(path)
    assert isinstance(error, InputError)
    assert error.where == f"{path}:1"


def test_a_recording_that_contradicts_itself_names_the_record_and_the_reason(folder: Path, tmp_path: Path):
    from tests.edited import lines_of, sealed

    lines = lines_of(read_recording(folder / "run").records)
    path = tmp_path / "edited"
    path.write_bytes(sealed([line for line in lines if not (line["is"] == "CallQueued" and line["n"] == 17)]))
    error = refusal(path)
    assert isinstance(error, InputError)
    assert error.message == "the recording contradicts itself at record 17: client.call2 was never queued"
    assert error.where == f"{path}:18"


def test_a_recording_is_read_from_standard_input(folder: Path):
    ended = sspi("show", "-", "-q", "--no-timing", stdin=(folder / "run").read_text())
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "FAILED  Schannel TLS 1.3  leg 4, server: SEC_E_CERT_EXPIRED\n"


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path):
    assert isinstance(refusal(tmp_path / "none"), InputError)


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["--view", "timeline", "-q"], "-q"),
        (["-f", "json", "-q"], "-q"),
        (["-f", "jsonl", "--view", "calls"], "--view"),
        (["-f", "jsonl", "--handshake", "1"], "--handshake"),
        (["--include-secrets"], "--include-secrets"),
        (["--as", "c", "--view", "calls"], "--view"),
        (["--as", "c", "-f", "json"], "--format"),
        (["--leg", "1", "--view", "calls"], "--view"),
        (["--leg", "1", "--side", "client"], "--side"),
        (["--side", "client"], "--side"),
        (["--leg", "9"], "--leg"),
        (["--handshake", "2"], "--handshake"),
    ],
)
def test_options_that_cannot_both_be_meant_are_refused(folder: Path, words: list[str], where: str):
    error = refusal(folder / "run", *words)
    assert isinstance(error, UsageError)
    assert error.where == where
    assert error.help


def test_an_unknown_view_suggests_the_nearest(folder: Path):
    ended = sspi("show", str(folder / "run"), "--view", "timelin")
    assert ended.returncode == 2
    assert "did you mean 'timeline'?" in ended.stderr


def test_a_result_goes_to_a_new_file_and_never_over_an_old_one(folder: Path, tmp_path: Path):
    out = tmp_path / "out"
    assert show(folder / "run", "-o", out).stdout == ""
    assert out.read_text() == show(folder / "run").stdout
    assert isinstance(refusal(folder / "run", "-o", out), WriteError)


def test_both_handshakes_of_a_resumption_can_be_looked_at(folder: Path):
    first, second = (document(folder / "resumed", "--handshake", number) for number in (1, 2))
    assert (first["handshake"], second["handshake"]) == (1, 2)
    assert (first["resumed"], second["resumed"]) == (False, True)
    assert document(folder / "resumed") == second


# -- one leg -----------------------------------------------------------------------------------------------------------
def test_a_leg_names_who_made_it_who_took_it_and_its_fields(folder: Path):
    shown = show(folder / "run", "--leg", "3", "--width", 120, "--keylog", folder / "keys").stdout
    assert re.search(r"leg 3  client to server  \d+ B  CCS · \{Certificate CertVerify Finished\}", shown)
    assert "made by  client.call3 init #2" in shown
    assert "taken by server.call3 accept #2" in shown
    assert re.search(r"decided  leg 3, Certificate\[0\]\.validity\.notAfter, bytes 0x\w{3}-0x\w{3} of the", shown)
    assert "certificate_list" in shown
    assert "server.call3 accept #2  SEC_E_CERT_EXPIRED" in shown


def test_with_vv_a_leg_shows_its_bytes(folder: Path):
    plain = show(folder / "run", "--leg", "1").stdout
    full = show(folder / "run", "--leg", "1", "-vv").stdout
    assert "the token of leg 1 as it was sent" in full
    assert "the token of leg 1 as it was sent" not in plain


def test_a_token_that_decrypt_message_saw_first_was_taken_by_it_too(folder: Path):
    leg = document(folder / "run", "--leg", "4")["leg"]
    assert [one["function"] for one in leg["taken_by"]] == ["DecryptMessage", "SspiInitializeSecurityContextAsync"]
    assert leg["made_by"] == "server.call3"
    (hello,) = document(folder / "run", "--leg", "1")["leg"]["messages"]
    assert [field["name"] for field in hello["fields"]["children"]][:4] == [
        "msg_type", "length", "legacy_version", "random",
    ]  # fmt: skip


# -- documents ---------------------------------------------------------------------------------------------------------
def test_the_document_holds_every_member_of_the_handshakes_own(folder: Path):
    files = ["--record", str(folder / "again")]
    said = CliRunner().invoke(handshake_command, ["-f", "json", *MUTUAL, *files], standalone_mode=False)
    own, told = json.loads(said.stdout), document(folder / "again")
    assert told.pop("schema") == "sspi-async/show/1"
    del own["schema"]
    closed = {"legs", "failure"}  # what is encrypted is opened live, and closed in a recording without its secrets
    assert {name: told[name] for name in own if name not in closed} == {
        name: value for name, value in own.items() if name not in closed
    }
    assert told["recording"] == {"records": 126, "has_secrets": False, "note": None}


def test_each_view_adds_its_member(folder: Path):
    bare = document(folder / "run").keys()
    for view, member in {"attributes": "context_attributes", "buffers": "buffers", "timeline": "timeline"}.items():
        assert document(folder / "run", "--view", view).keys() - bare == {member}
    assert document(folder / "run", "--view", "all").keys() - bare == {
        "context_attributes", "buffers", "timeline", "handles", "stats",
    }  # fmt: skip


def test_no_measured_time_stands_in_a_document_without_timing(folder: Path):
    text = json.dumps(document(folder / "run", "--view", "all", "--no-timing"))
    assert not any(word in text for word in ("nanoseconds", "microseconds", "milliseconds"))


def test_no_secret_stands_in_any_view_of_a_recording_with_secrets(tmp_path: Path):
    path = tmp_path / "run"
    records = records_of(record=path, include_secrets=True, messages=1)
    secrets = [one.event.line.split()[2] for one in records if isinstance(one.event, KeyLogged)]
    assert secrets
    for words in (
        ["--view", "all", "-vv"],
        ["-f", "json", "--view", "all", "-vv"],
        ["-f", "jsonl"],
        ["--as", "c", "-v"],
    ):
        shown = show(path, *words).stdout
        assert not any(secret in shown for secret in secrets)
        assert b"message 1 from".hex() not in shown
        assert "message 1 from" not in shown


# -- completion --------------------------------------------------------------------------------------------------------
def completed(*words: str) -> str:
    asking = {"_SSPI_ASYNC_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(("sspi-async", *words))}
    return str(sspi(**asking, COMP_CWORD=str(len(words))).stdout)


def test_a_shell_completes_files_views_and_options():
    assert completed("show", "x").startswith("file,")
    assert completed("show", "run", "--view", "ti") == "plain,timeline\n"
    assert "plain,--leg" in completed("show", "run", "--l")
    assert completed("explain", "--in", "x").startswith("file,")
