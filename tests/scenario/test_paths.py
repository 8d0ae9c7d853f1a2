"""Files that a scenario names: beside it, wherever the command was started, and nowhere else."""

from __future__ import annotations

import os
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sspicli.analysis.cases import Outcome
from sspicli.scenario.load import load
from sspicli.scenario.run import RunOptions, run_case
from sspicli.scenario.source import ScenarioError


def signed_by_itself() -> bytes:
    """Make a certificate that holds at the scenarios' clock, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "site.example")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 1)
    built = built.not_valid_before(datetime(2025, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName("site.example")]), critical=False)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    text = built.sign(key, hashes.SHA256()).public_bytes(pem)
    return text + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)


PEM = signed_by_itself()


@pytest.fixture
def folder(tmp_path):
    """Make a folder with a certificate in it, and one beside it with another."""
    for name in ("suite", "outside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "site.pem").write_bytes(PEM)
    return tmp_path / "suite"


def case(folder: Path, settings: str, **options):
    path = folder / "a.sspi.yaml"
    path.write_text(f"schema: sspi-async/scenario/1\nname: files\nsession: {{ {settings} }}\n")
    (found,) = load(path, "a.sspi.yaml", **options).cases
    return found


def said(folder: Path, settings: str, **options) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        case(folder, settings, **options)
    return [f"{one.place.line}:{one.place.column} {one.message}" for one in caught.value.problems]


def test_a_certificate_is_looked_for_beside_the_scenario_and_not_where_the_command_was_started(
    folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path / "outside")
    made = case(folder, "server: { cert: site.pem }, client: { trust: site.pem, target: site.example }")
    assert run_case(pickle.loads(pickle.dumps(made)), RunOptions()).outcome is Outcome.PASSED

    (folder / "site.pem").unlink()
    assert said(folder, "server: { cert: site.pem }") == ["3:28 there is no such file"]


@pytest.mark.parametrize("path", ["../outside/site.pem", "{absolute}", "link.pem", "below/site.pem", "~/site.pem"])
def test_a_path_that_leaves_the_scenarios_folder_is_refused_at_the_value(folder, tmp_path, path):
    (folder / "link.pem").symlink_to(tmp_path / "outside" / "site.pem")
    (folder / "below").symlink_to(tmp_path / "outside")
    path = path.format(absolute=tmp_path / "outside" / "site.pem")
    assert said(folder, f'server: {{ cert: "{path}" }}') == ["3:28 the file is outside the scenario's folder"]


def test_the_user_may_allow_another_folder(folder, tmp_path):
    made = case(folder, "server: { cert: ../outside/site.pem }", allowed=[tmp_path / "outside"])
    assert run_case(made, RunOptions()).outcome is not Outcome.ERROR
    assert said(folder, "server: { cert: /dev/null }", allowed=[tmp_path / "outside"])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("server: { cert: bad.pem }", "3:28 "),
        ("server: { cert: site.pem, key: bad.pem }", "3:43 "),
        ("server: { cert: site.pem, key-password-file: empty }", "3:57 there is no password in it"),
        ("server: { cert: site.pem, key-password-file: '-' }", "3:57 a scenario takes no password from standard input"),
        ("client: { trust: bad.pem }", "3:29 "),
        ("server: { cert: fifo }", "3:28 this is a FIFO"),
        ("server: { cert: site }", "3:28 'site' is none of cert's words"),
        ("server: { cert: below/none.pem }", "3:28 there is no such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_problem_at_its_value(folder, settings, told):
    (folder / "bad.pem").write_text("no certificate")
    (folder / "empty").touch()
    os.mkfifo(folder / "fifo")
    (problem,) = said(folder, settings)
    assert problem.startswith(told)


def test_a_described_certificate_and_a_preset_name_no_file(folder):
    assert case(folder, "server: { cert: { names: [a.example] } }, client: { cert: EXPIRED }")
