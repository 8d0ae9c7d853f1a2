"""GnuTLS as the peer: another implementation of TLS altogether."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sspicli.session.drivers import Style
from sspicli.sspi.package import Role
from sspicli.sspi.status import SecurityStatus
from tests.peers.programs import Ended, Program
from tests.peers.socket_session import (
    AUTHORITY,
    LOOPBACK,
    Run,
    listening,
    make_plan,
    make_setup,
    run_client,
    run_server,
    write_identity,
    write_root,
)

pytestmark = pytest.mark.peer

OK = SecurityStatus.SEC_E_OK
BOTH_VERSIONS = pytest.mark.parametrize("tls", ["1.2", "1.3"])
WORDS = "message 1 from the server"


# -- our client and gnutls-serv ----------------------------------------------------------------------------------------
@contextmanager
def gnutls_serv(folder: Path, *options: str | Path, server: Sequence[str]) -> Iterator[tuple[Program, int]]:
    """Run gnutls-serv, which echoes lines, with the certificate that our settings for a server make.

    It can neither pick a port nor keep to the loopback interface, so a free port is looked for; should another process
    take it meanwhile, the program fails to start, and so does the test.
    """
    certificate = make_setup(server=server).server.auth_data.certificates[0]
    files = write_identity(folder, certificate, "server")
    own = ("--x509certfile", files.chain, "--x509keyfile", files.key, "--x509cafile", write_root(folder))
    with socket.create_server((LOOPBACK, 0)) as probe:
        port = probe.getsockname()[1]
    with Program("gnutls-serv", "--echo", "--port", str(port), *own, *options) as program:
        program.wait_for(r"listening on IPv4 .*done")
        yield program, port


def meet_gnutls_serv(
    folder: Path,
    *options: str | Path,
    client: Sequence[str],
    server: Sequence[str] = ("key=p256",),
    style: Style = Style.CALLBACK,
) -> tuple[Run, str]:
    plan = make_plan(Role.CLIENT, make_setup(client=client, server=server), messages=1, style=style)
    with gnutls_serv(folder, *options, server=server) as (program, port):
        mine = run_client(plan, port, text=b"hello\n")
    return mine, program.text


@BOTH_VERSIONS
@pytest.mark.parametrize("server", [["key=p256"], ["key=rsa2048"], ["key=ed25519"], ["key=p256", "cert=long-chain"]])
def test_our_client_and_gnutls_serv_shake_hands_and_talk(tmp_path, tls, server):
    mine, theirs = meet_gnutls_serv(tmp_path, "--disable-client-cert", client=[f"tls={tls}"], server=server)
    assert (mine.reason, mine.status, mine.opened) == ("finished", OK, b"hello\n")
    assert f"- Version: TLS{tls}\n" in theirs
    assert "- Given server name[1]: localhost\n" in theirs


@BOTH_VERSIONS
def test_our_client_in_polling_style_and_gnutls_serv_shake_hands(tmp_path, tls):
    mine, _ = meet_gnutls_serv(tmp_path, "--disable-client-cert", client=[f"tls={tls}"], style=Style.POLL)
    assert (mine.reason, mine.status, mine.opened) == ("finished", OK, b"hello\n")


@BOTH_VERSIONS
def test_our_client_and_gnutls_serv_agree_on_an_application_protocol(tmp_path, tls):
    client = [f"tls={tls}", "alpn=h2,http/1.1"]
    mine, theirs = meet_gnutls_serv(tmp_path, "--disable-client-cert", "--alpn=http/1.1", client=client)
    assert (mine.status, mine.protocol_negotiated) == (OK, b"http/1.1")
    assert "- Application protocol: http/1.1\n" in theirs


@BOTH_VERSIONS
@pytest.mark.parametrize("key", ["ed25519", "p256", "rsa2048"])
def test_gnutls_serv_verifies_our_clients_certificate(tmp_path, tls, key):
    options = ("--require-client-cert", "--verify-client-cert")
    mine, theirs = meet_gnutls_serv(tmp_path, *options, client=[f"tls={tls}", "cert=valid", f"key={key}"])
    assert (mine.status, mine.opened) == (OK, b"hello\n")
    assert "- Status: The certificate is trusted." in theirs


def test_our_client_learns_that_gnutls_serv_demands_a_certificate(tmp_path):
    mine, theirs = meet_gnutls_serv(tmp_path, "--require-client-cert", client=["tls=1.3"])
    assert (mine.status, mine.mine.post_handshake_status) == (OK, SecurityStatus.SEC_E_ILLEGAL_MESSAGE)
    assert mine.alert_received == 116
    assert "Certificate is required" in theirs


def test_gnutls_serv_reads_the_alert_about_its_certificate(tmp_path):
    server = ["cert=expired", "key=p256"]
    mine, theirs = meet_gnutls_serv(tmp_path, "--disable-client-cert", client=["tls=1.2"], server=server)
    assert (mine.status, mine.alert_sent) == (SecurityStatus.SEC_E_CERT_EXPIRED, 45)
    assert "Error in handshake: A TLS fatal alert has been received." in theirs


def test_gnutls_serv_cannot_read_an_alert_in_clear_where_tls_1_3_has_it_encrypted(tmp_path):
    """The engine difference `clear-client-alert`, seen from outside."""
    server = ["cert=expired", "key=p256"]
    mine, theirs = meet_gnutls_serv(tmp_path, "--disable-client-cert", client=["tls=1.3"], server=server)
    assert mine.mine.alert_sent == (2, 45, False, 7)
    assert "Error in handshake: Decryption has failed." in theirs
    assert any("RFC 8446" in one or "in clear" in one for one in mine.report.differences)


@pytest.mark.parametrize(("tls", "theirs"), [("1.2", "1.3"), ("1.3", "1.2")])
def test_our_client_learns_that_gnutls_serv_has_another_version(tmp_path, tls, theirs):
    """GnuTLS sends alert 40 (handshake_failure) here, where others send 70 (protocol_version)."""
    mine, _ = meet_gnutls_serv(tmp_path, f"--priority=NORMAL:-VERS-ALL:+VERS-TLS{theirs}", client=[f"tls={tls}"])
    statuses = {40: SecurityStatus.SEC_E_ILLEGAL_MESSAGE, 70: SecurityStatus.SEC_E_UNSUPPORTED_FUNCTION}
    assert mine.alert_received in statuses
    assert mine.status == statuses[mine.alert_received]


def test_our_client_answers_a_hello_retry_request_of_gnutls_serv(tmp_path):
    options = ("--disable-client-cert", "--priority=NORMAL:-GROUP-ALL:+GROUP-SECP384R1")
    mine, theirs = meet_gnutls_serv(tmp_path, *options, client=["tls=1.3", "groups=x25519,secp384r1"])
    assert (mine.status, mine.opened, mine.report.group) == (OK, b"hello\n", "secp384r1")
    assert "Using curve: SECP384R1" in theirs


def test_gnutls_serv_notices_that_our_client_ends_without_close_notify(tmp_path):
    mine, theirs = meet_gnutls_serv(tmp_path, "--disable-client-cert", client=["tls=1.3"])
    assert mine.alert_received == 10
    assert "The TLS connection was non-properly terminated" in theirs


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_the_report_blames_an_alert_that_comes_after_the_handshake(tmp_path, tls):
    """GnuTLS sends alert 10 when our client ends without close_notify; in TLS 1.3 a call meets it, behind a ticket."""
    mine, _ = meet_gnutls_serv(tmp_path, "--disable-client-cert", client=[f"tls={tls}"])
    assert mine.mine.post_handshake_status == SecurityStatus.SEC_E_ILLEGAL_MESSAGE
    assert mine.report.failure is not None


# -- our server and gnutls-cli -----------------------------------------------------------------------------------------
def meet_gnutls_cli(
    folder: Path,
    *options: str | Path,
    server: Sequence[str],
    client: Sequence[str] = (),
    handshakes: int = 1,
    name: str = "localhost",
    style: Style = Style.CALLBACK,
) -> tuple[Run, Ended]:
    """Let gnutls-cli connect to our server, say hello, and leave when it has heard our message."""
    plan = make_plan(Role.SERVER, make_setup(server=server, client=client), messages=1, handshakes=handshakes)
    names = ("--sni-hostname=localhost", f"--verify-hostname={name}")
    with listening() as (listener, port):
        own = ("--port", str(port), "--x509cafile", write_root(folder), *names)
        with Program("gnutls-cli", *own, *options, "127.0.0.1") as program:
            program.say("hello\n")
            program.quit_after(WORDS)
            mine = run_server(replace(plan, style=style), listener)
            return mine, program.finish()


@BOTH_VERSIONS
@pytest.mark.parametrize("server", [["key=p256"], ["key=rsa2048"], ["key=ed25519"], ["key=p256", "cert=long-chain"]])
def test_gnutls_cli_and_our_server_shake_hands_and_talk(tmp_path, tls, server):
    mine, theirs = meet_gnutls_cli(tmp_path, server=[f"tls={tls}", *server])
    assert (mine.reason, mine.status, mine.opened) == ("finished", OK, b"hello\n")
    assert theirs.code == 0
    assert "- Status: The certificate is trusted." in theirs.text
    assert f"- Description: (TLS{tls}-X.509)" in theirs.text
    assert WORDS in theirs.text


@BOTH_VERSIONS
def test_gnutls_cli_and_our_server_in_polling_style_shake_hands(tmp_path, tls):
    mine, _ = meet_gnutls_cli(tmp_path, server=[f"tls={tls}", "key=p256"], style=Style.POLL)
    assert (mine.reason, mine.status, mine.opened) == ("finished", OK, b"hello\n")


@BOTH_VERSIONS
def test_gnutls_cli_and_our_server_agree_on_an_application_protocol(tmp_path, tls):
    mine, theirs = meet_gnutls_cli(tmp_path, "--alpn=h2", server=[f"tls={tls}", "key=p256", "alpn=http/1.1,h2"])
    assert (mine.status, mine.protocol_negotiated) == (OK, b"h2")
    assert "- Application protocol: h2\n" in theirs.text


@BOTH_VERSIONS
def test_gnutls_cli_sends_its_certificate_to_our_server(tmp_path, tls):
    files = write_identity(tmp_path, AUTHORITY.issue("valid", "p256", name="client", usage="client"), "client")
    options = ("--x509certfile", files.chain, "--x509keyfile", files.key)
    mine, theirs = meet_gnutls_cli(tmp_path, *options, server=[f"tls={tls}", "key=p256", "request-cert=require"])
    assert (mine.status, mine.opened) == (OK, b"hello\n")
    assert "- Successfully sent 1 certificate(s) to server." in theirs.text


@pytest.mark.parametrize(("tls", "alert"), [("1.2", 40), ("1.3", 116)])
def test_our_server_refuses_gnutls_cli_without_the_required_certificate(tmp_path, tls, alert):
    mine, theirs = meet_gnutls_cli(tmp_path, server=[f"tls={tls}", "key=p256", "request-cert=require"])
    assert (mine.status, mine.alert_sent) == (SecurityStatus.SEC_I_INCOMPLETE_CREDENTIALS, alert)
    assert re.search(rf"Received alert \[{alert}\]", theirs.text)


@BOTH_VERSIONS
@pytest.mark.parametrize(
    ("preset", "words"),
    [
        ("expired", "uses expired certificate"),
        ("not-yet-valid", "uses not yet valid certificate"),
        ("untrusted", "The certificate issuer is unknown"),
        ("wrong-name", "does not match"),
    ],
)
def test_our_server_learns_that_gnutls_cli_refuses_its_certificate(tmp_path, tls, preset, words):
    """GnuTLS checks the certificate in its own time and sends alert 42 whatever is wrong with it."""
    mine, theirs = meet_gnutls_cli(tmp_path, server=[f"tls={tls}", "key=p256", f"cert={preset}"])
    assert (mine.status, mine.alert_received) == (SecurityStatus.SEC_E_CERT_UNKNOWN, 42)
    assert words in theirs.text


@BOTH_VERSIONS
def test_gnutls_cli_resumes_with_our_server(tmp_path, tls):
    options = ("--resume", "--waitresumption")
    mine, theirs = meet_gnutls_cli(tmp_path, *options, server=[f"tls={tls}", "key=p256"], handshakes=2)
    assert (mine.reason, mine.status, mine.opened) == ("finished", OK, b"hello\n")
    assert mine.report.is_resumed
    assert "*** This is a resumed session" in theirs.text


@BOTH_VERSIONS
def test_gnutls_cli_does_not_resume_when_our_server_gives_no_tickets(tmp_path, tls):
    mine, theirs = meet_gnutls_cli(tmp_path, "--resume", server=[f"tls={tls}", "key=p256", "resume=off"], handshakes=2)
    assert (mine.reason, mine.status) == ("finished", OK)
    assert not mine.report.is_resumed
    assert "*** This is a resumed session" not in theirs.text


def test_gnutls_cli_answers_a_hello_retry_request_of_our_server(tmp_path):
    options = ("--single-key-share", "--priority=NORMAL:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP384R1")
    mine, _ = meet_gnutls_cli(tmp_path, *options, server=["tls=1.3", "key=p256", "groups=secp384r1"])
    assert (mine.status, mine.report.group, mine.opened) == (OK, "secp384r1", b"hello\n")
    assert [message.name for leg in mine.report.legs for message in leg.messages].count("ClientHello") == 2
