"""The doctor command: facts that were looked at, and the claims of the tables."""

import json
import os
import ssl

import pytest
from OpenSSL import SSL

from sspicli.cli.fidelity import ASSUMPTION, DIFFERENCE, claims, words_claims
from sspicli.packages.schannel import ACQUIRE_ROWS
from sspicli.packages.schannel_failures import ASSUMPTIONS, ENGINE_DIFFERENCES, ROWS
from sspicli.sspi.alerts import ALERTS
from sspicli.sspi.lifecycle import LAW, Phase
from sspicli.sspi.package import Source
from tests.processes import python, sspi

WITHOUT_PYOPENSSL = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "OpenSSL":
            raise ModuleNotFoundError(f"No module named {name!r}", name="OpenSSL")

sys.meta_path.insert(0, Absent())
from sspicli.cli.main import run
run()
"""


def document(*arguments, **variables):
    return json.loads(sspi("doctor", "-f", "json", *arguments, **variables).stdout)


def test_the_verdict_comes_first():
    ended = sspi("doctor")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0] == "ok  Schannel can be used here"


def test_both_openssl_libraries_are_named():
    engine = document()["engine"]
    used = SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode()
    assert used.startswith(engine["openssl"].partition(",")[0] + " ")
    assert engine["stdlib_openssl"].startswith(ssl.OPENSSL_VERSION)


def test_extras_that_are_missing_come_with_the_command_that_installs_them():
    extras = document()["extras"]
    for extra in ("native", "kerberos"):
        assert "not installed" not in extras[extra] or f"pip install 'sspicli[{extra}]'" in extras[extra]


def test_fork_is_what_this_system_has():
    assert document()["system"]["fork"] == ("available" if hasattr(os, "fork") else "not available")


def test_a_key_log_variable_is_named_as_ignored():
    assert document(SSLKEYLOGFILE="/tmp/x")["system"]["sslkeylogfile"].startswith("set, and ignored")
    assert document()["system"]["sslkeylogfile"].startswith("not set")


@pytest.mark.parametrize(
    ("variables", "colour"), [({}, "off"), ({"FORCE_COLOR": "1"}, "on"), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, "off")]
)
def test_the_colour_decision_is_the_console_s(variables, colour):
    assert document(**variables)["terminal"]["color"] == colour


def test_variables_with_control_characters_are_shown_escaped():
    shown = sspi("doctor", TERM="\x1b[31mred").stdout
    assert "\x1b" not in shown
    assert r"TERM=\x1b[31mred" in shown


def test_lines_stay_inside_the_width():
    for arguments in (["doctor"], ["doctor", "--fidelity"]):
        lines = sspi(*arguments, "--width", "60").stdout.splitlines()
        assert max(map(len, lines)) <= 60


@pytest.mark.parametrize("arguments", [["doctor"], ["doctor", "--fidelity"]])
def test_without_its_engine_it_ends_with_4_and_the_command_that_installs_it(arguments):
    ended = python(WITHOUT_PYOPENSSL, *arguments)
    assert ended.returncode == 4
    assert "pip install 'pyOpenSSL" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout


def test_json_without_the_engine_is_whole_and_says_so():
    ended = python(WITHOUT_PYOPENSSL, "doctor", "-f", "json")
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["usable"]) == (4, False)


# -- fidelity ----------------------------------------------------------------------------------------------------------


def ids(table):
    return [one.id for one in claims() if one.table == table]


def test_every_engine_difference_is_listed():
    assert [one.id for one in claims() if one.kind == DIFFERENCE] == [one.id for one in ENGINE_DIFFERENCES]


def test_every_assumption_of_the_package_is_listed():
    assert ids("Schannel") == [one.id for one in ASSUMPTIONS]


def test_every_inferred_row_of_the_maps_is_listed():
    own = [row.id for row in ROWS if row.source is Source.INFERRED and not row.is_received]
    assert ids("statuses of failed legs") == own
    assert ids("statuses of refused credentials") == [row.id for row in ACQUIRE_ROWS if row.source is Source.INFERRED]
    assert ids("statuses of alerts") == [one.name for one in ALERTS.values() if one.source is Source.INFERRED]


def test_every_inferred_row_of_the_law_is_listed():
    listed = [one for one in claims() if one.table == "the life of an async context" and "NTSTATUS" not in one.note]
    inferred = {(phase, row) for (phase, _, _), row in LAW.items() if row.source is Source.INFERRED}
    assert {row.reference for _, row in inferred} == {one.note for one in listed}
    for phase, row in inferred:
        assert any(phase in one.id.split(": ")[0].split(" | ") and one.note == row.reference for one in listed)


def test_the_law_s_claims_name_phases_that_exist():
    listed = [one for one in words_claims() if one.table == "the life of an async context"]
    for one in listed:
        assert set(one.id.split(": ")[0].split(" | ")) <= {phase.value for phase in Phase}


def test_no_assumption_is_documented():
    assert all(one.source is Source.INFERRED for one in claims() if one.kind == ASSUMPTION)


def test_the_document_holds_every_claim():
    found = document("--fidelity")
    assert found["schema"] == "sspi-async/fidelity/1"
    assert len(found["differences"]) + len(found["assumptions"]) == len(claims())
    assert set(found["assumptions"][0]) == {"table", "id", "here", "note", "source"}


def test_the_text_counts_and_names_every_claim():
    shown = sspi("doctor", "--fidelity", "--width", "1000").stdout
    assert shown.splitlines()[0] == (
        f"{len(ENGINE_DIFFERENCES)} engine differences and {len(claims()) - len(ENGINE_DIFFERENCES)} assumptions"
    )
    for one in claims():
        assert one.id.split(",")[0] in shown


def test_fidelity_says_what_is_assumed_of_a_documented_refusal():
    known = [one.note for one in claims() if "the NTSTATUS code is assumed" in one.note]
    assert known == [
        "SspiReinitAsyncContext: fails when invalid (documented); the NTSTATUS code is assumed",
        "SspiReinitAsyncContext: fails while in use (documented); the NTSTATUS code is assumed",
    ]
