"""OpenSSL's command line as the peer, and its `verify` as the judge of our certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sspicli.analysis.report import report
from sspicli.journal.journal import Journal
from sspicli.packages.catalog import create_package
from sspicli.packages.certificates import Authority
from sspicli.session.drivers import Plan, Style
from sspicli.session.pair import pair
from sspicli.sspi.package import Role
from sspicli.sspi.schannel import describe
from sspicli.sspi.status import SecurityStatus
from tests.peers.programs import PATIENCE, Ended, Program, run
from tests.peers.socket_session import (
    AUTHORITY,
    CLOCK,
    Run,
    as_pem,
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
CONTINUE = SecurityStatus.SEC_I_CONTINUE_NEEDED
INCOMPLETE_CREDENTIALS = SecurityStatus.SEC_I_INCOMPLETE_CREDENTIALS
INCOMPLETE = SecurityStatus.SEC_E_INCOMPLETE_MESSAGE
ILLEGAL_MESSAGE = SecurityStatus.SEC_E_ILLEGAL_MESSAGE
AES256, AES128 = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"
BOTH_VERSIONS = pytest.mark.parametrize("tls", ["1.2", "1.3"])
WORDS = "message 1 from the server"


# -- our client and openssl s_server -----------------------------------------------------------------------------------
@contextmanager
def s_server(folder: Path, *options: str | Path, server: Sequence[str] = (), connections: int = 1) -> Iterator[Served]:
    """Run s_server with the certificate that our settings for a server make; it sends back each line reversed."""
    certificate = make_setup(server=server).server.auth_data.certificates[0]
    files = write_identity(folder, certificate, "server")
    chain = ("-cert_chain", files.intermediates) if files.intermediates else ()
    own = ("-cert", files.leaf, "-key", files.key, *chain, "-CAfile", write_root(folder), "-ignore_unexpected_eof")
    more = ("-rev", "-naccept", str(connections), "-keylogfile", folder / "secrets")
    with Program("openssl", "s_server", "-accept", "127.0.0.1:0", *own, *more, *options) as program:
        yield Served(program, int(program.wait_for(r"^ACCEPT \S*:(\d+)$")[1]), folder / "secrets")


class Served(NamedTuple):
    """An s_server under way."""

    program: Program
    port: int
    secrets: Path

    def meet(self, plan: Plan, *, text: bytes | None = b"hello\n", most: int = 1 << 16) -> tuple[Run, str]:
        """Let our client connect to it; what became of each."""
        mine = run_client(plan, self.port, text=text, most=most)
        return mine, self.program.finish().text


def client_plan(*client: str, server: Sequence[str] = (), messages: int = 1, handshakes: int = 1) -> Plan:
    return make_plan(Role.CLIENT, make_setup(client=client, server=server), messages=messages, handshakes=handshakes)


@BOTH_VERSIONS
@pytest.mark.parametrize("server", [["key=p256"], ["key=rsa2048"], ["key=ed25519"], ["key=p256", "cert=long-chain"]])
def test_our_client_and_s_server_shake_hands_and_talk(tmp_path, tls, server):
    with s_server(tmp_path, server=server) as peer:
        mine, theirs = peer.meet(client_plan(f"tls={tls}"))
    assert (mine.reason, mine.status, mine.opened) == ("finished", OK, b"olleh\n")
    assert mine.report.protocol == f"TLS {tls}"
    assert f"Protocol version: TLSv{tls}" in theirs
    assert not mine.report.findings


@BOTH_VERSIONS
def test_our_client_and_s_server_write_the_same_secrets(tmp_path, tls):
    with s_server(tmp_path, server=["key=p256"]) as peer:
        mine, _ = peer.meet(client_plan(f"tls={tls}"))
        assert mine.secrets == key_log_lines(peer.secrets)
    assert len(mine.secrets) == {"1.2": 1, "1.3": 5}[tls]


@pytest.mark.parametrize("most", [1, 100])
@BOTH_VERSIONS
def test_our_client_reads_s_server_in_small_pieces(tmp_path, tls, most):
    with s_server(tmp_path, server=["key=p256"]) as peer:
        mine, _ = peer.meet(client_plan(f"tls={tls}"), most=most)
    assert (mine.reason, mine.status, mine.opened) == ("finished", OK, b"olleh\n")
    assert INCOMPLETE in mine.leg_statuses


@BOTH_VERSIONS
def test_our_client_in_polling_style_and_s_server_shake_hands(tmp_path, tls):
    with s_server(tmp_path, server=["key=p256"]) as peer:
        mine, _ = peer.meet(replace(client_plan(f"tls={tls}"), style=Style.POLL))
    assert (mine.reason, mine.status, mine.opened) == ("finished", OK, b"olleh\n")


@BOTH_VERSIONS
@pytest.mark.parametrize("key", ["ed25519", "p256", "rsa2048"])
def test_s_server_verifies_our_clients_certificate(tmp_path, tls, key):
    options = ("-Verify", "3", "-verify_return_error")
    with s_server(tmp_path, *options, server=["key=p256"]) as peer:
        mine, theirs = peer.meet(client_plan(f"tls={tls}", "cert=valid", f"key={key}"))
    assert (mine.status, mine.opened) == (OK, b"olleh\n")
    assert "Peer certificate: CN = client" in theirs


@BOTH_VERSIONS
def test_our_client_goes_on_anonymously_when_s_server_would_like_a_certificate(tmp_path, tls):
    with s_server(tmp_path, "-verify", "3", server=["key=p256"]) as peer:
        mine, theirs = peer.meet(client_plan(f"tls={tls}"))
    assert (mine.status, mine.opened) == (OK, b"olleh\n")
    assert INCOMPLETE_CREDENTIALS in mine.leg_statuses
    assert "No peer certificate" in theirs


@BOTH_VERSIONS
def test_our_client_acquires_a_certificate_when_s_server_asks_for_one(tmp_path, tls):
    later = make_setup(client=[f"tls={tls}", "cert=valid", "key=p256"]).client.auth_data
    with s_server(tmp_path, "-Verify", "3", "-verify_return_error", server=["key=p256"]) as peer:
        mine, theirs = peer.meet(replace(client_plan(f"tls={tls}"), later_auth_data=later))
    assert (mine.status, mine.opened) == (OK, b"olleh\n")
    assert INCOMPLETE_CREDENTIALS in mine.leg_statuses
    assert "Peer certificate: CN = client" in theirs


@pytest.mark.parametrize(
    ("tls", "alert", "statuses"),
    [
        ("1.2", 40, (ILLEGAL_MESSAGE, None)),
        ("1.3", 116, (OK, ILLEGAL_MESSAGE)),
    ],
)
def test_our_client_learns_that_s_server_demands_a_certificate(tmp_path, tls, alert, statuses):
    with s_server(tmp_path, "-Verify", "3", server=["key=p256"]) as peer:
        mine, theirs = peer.meet(client_plan(f"tls={tls}"))
    assert (mine.status, mine.mine.post_handshake_status) == statuses
    assert mine.alert_received == alert
    assert "peer did not return a certificate" in theirs


@BOTH_VERSIONS
def test_our_client_learns_that_its_certificate_has_expired(tmp_path, tls):
    with s_server(tmp_path, "-Verify", "3", "-verify_return_error", server=["key=p256"]) as peer:
        mine, theirs = peer.meet(client_plan(f"tls={tls}", "cert=expired"))
    final = mine.status if tls == "1.2" else mine.mine.post_handshake_status
    assert (final, mine.alert_received) == (SecurityStatus.SEC_E_CERT_EXPIRED, 45)
    assert "certificate has expired" in theirs


@BOTH_VERSIONS
@pytest.mark.parametrize(
    ("preset", "status", "alert"),
    [
        ("expired", SecurityStatus.SEC_E_CERT_EXPIRED, 45),
        ("not-yet-valid", SecurityStatus.SEC_E_CERT_EXPIRED, 42),
        ("untrusted", SecurityStatus.SEC_E_UNTRUSTED_ROOT, 48),
        ("self-signed", SecurityStatus.SEC_E_UNTRUSTED_ROOT, 48),
        ("wrong-name", SecurityStatus.SEC_E_WRONG_PRINCIPAL, 42),
        ("wrong-usage", SecurityStatus.SEC_E_CERT_WRONG_USAGE, 43),
        ("revoked", SecurityStatus.CRYPT_E_REVOKED, 44),
    ],
)
def test_s_server_reads_the_alert_about_its_certificate(tmp_path, tls, preset, status, alert):
    server = [f"cert={preset}", "key=p256"]
    with s_server(tmp_path, server=server) as peer:
        mine, theirs = peer.meet(client_plan(f"tls={tls}", server=server))
    assert (mine.status, mine.alert_sent) == (status, alert)
    assert f"SSL alert number {alert}" in theirs


@BOTH_VERSIONS
def test_our_client_takes_an_expired_certificate_when_the_caller_validates(tmp_path, tls):
    with s_server(tmp_path, server=["cert=expired", "key=p256"]) as peer:
        mine, _ = peer.meet(client_plan(f"tls={tls}", "validate=manual"))
    assert (mine.status, mine.opened) == (OK, b"olleh\n")


@BOTH_VERSIONS
def test_our_client_and_s_server_agree_on_an_application_protocol(tmp_path, tls):
    with s_server(tmp_path, "-alpn", "http/1.1", server=["key=p256"]) as peer:
        mine, theirs = peer.meet(client_plan(f"tls={tls}", "alpn=h2,http/1.1"))
    assert (mine.status, mine.protocol_negotiated) == (OK, b"http/1.1")
    assert "ALPN protocols advertised by the client: h2, http/1.1" in theirs
    assert "ALPN protocols selected: http/1.1" in theirs


@pytest.mark.parametrize(
    ("client", "options", "status", "alert"),
    [
        (["alpn=h2"], ["-alpn", "http/1.1"], SecurityStatus.SEC_E_APPLICATION_PROTOCOL_MISMATCH, 120),
        (["tls=1.3"], ["-tls1_2"], SecurityStatus.SEC_E_UNSUPPORTED_FUNCTION, 70),
        (["tls=1.2"], ["-tls1_3"], SecurityStatus.SEC_E_UNSUPPORTED_FUNCTION, 70),
        ([], ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], SecurityStatus.SEC_E_UNSUPPORTED_FUNCTION, 70),
        (
            ["tls=1.2", f"suites={AES256}"],
            ["-cipher", AES128],
            ILLEGAL_MESSAGE,
            40,
        ),
        (["tls=1.3", "groups=x25519"], ["-groups", "P-256"], ILLEGAL_MESSAGE, 40),
    ],
    ids=["application protocol", "1.3 alone", "1.2 alone", "server of 1.1", "suite", "group"],
)
def test_our_client_learns_what_it_has_not_in_common_with_s_server(tmp_path, client, options, status, alert):
    with s_server(tmp_path, *options, server=["key=p256"]) as peer:
        mine, theirs = peer.meet(client_plan(*client))
    assert (mine.status, mine.alert_received) == (status, alert)
    assert "error:" in theirs


@BOTH_VERSIONS
def test_our_client_resumes_with_s_server(tmp_path, tls):
    with s_server(tmp_path, server=["key=p256"], connections=2) as peer:
        mine, theirs = peer.meet(client_plan(f"tls={tls}", "resume=ticket", handshakes=2))
    assert (mine.reason, mine.status, mine.opened) == ("finished", OK, b"olleh\nolleh\n")
    assert mine.report.is_resumed
    assert re.search(r"^\s*1 session cache hits$", theirs, re.MULTILINE)


def test_our_client_answers_a_hello_retry_request_of_s_server(tmp_path):
    with s_server(tmp_path, "-groups", "P-256", server=["key=p256"]) as peer:
        mine, _ = peer.meet(client_plan("tls=1.3", "groups=x25519,secp256r1"))
    assert (mine.status, mine.opened, mine.report.group) == (OK, b"olleh\n", "secp256r1")
    assert "HelloRetryRequest" in [message.name for leg in mine.report.legs for message in leg.messages]


# -- our server and openssl s_client -----------------------------------------------------------------------------------
def meet_s_client(
    folder: Path,
    *options: str | Path,
    server: Sequence[str] = ("key=p256",),
    client: Sequence[str] = (),
    trust: Path | None = None,
    handshakes: int = 1,
    most: int = 1 << 16,
    stays_open: bool = True,
    tolerates: bool = True,
) -> tuple[Run, Ended]:
    """Let s_client connect to our server, say hello, and leave when it has heard our message.

    If it `tolerates` no end without a close_notify, it leaves on its own.
    """
    plan = make_plan(Role.SERVER, make_setup(server=server, client=client), messages=1, handshakes=handshakes)
    own = ("-CAfile", trust or write_root(folder), "-verify_return_error", "-keylogfile", folder / "secrets")
    more = ("-ignore_unexpected_eof",) if tolerates else ()
    with (
        listening() as (listener, port),
        Program("openssl", "s_client", "-connect", f"127.0.0.1:{port}", *own, *more, *options) as program,
    ):
        program.say("hello\n")
        if tolerates:
            program.quit_after(WORDS)
        mine = run_server(plan, listener, most=most, stays_open=stays_open)
        return mine, program.finish()


@BOTH_VERSIONS
@pytest.mark.parametrize("server", [["key=p256"], ["key=rsa2048"], ["key=ed25519"], ["key=p256", "cert=long-chain"]])
def test_s_client_and_our_server_shake_hands_and_talk(tmp_path, tls, server):
    names = ("-servername", "localhost", "-verify_hostname", "localhost")
    mine, theirs = meet_s_client(tmp_path, *names, server=[f"tls={tls}", *server])
    assert (mine.reason, mine.status, mine.opened) == ("finished", OK, b"hello\n")
    assert (mine.report.protocol, theirs.code) == (f"TLS {tls}", 0)
    assert f"New, TLSv{tls}, Cipher is " in theirs.text
    assert "Verified peername: localhost" in theirs.text
    assert WORDS in theirs.text
    assert not mine.report.findings


@BOTH_VERSIONS
def test_s_client_and_our_server_write_the_same_secrets(tmp_path, tls):
    mine, _ = meet_s_client(tmp_path, server=["key=p256", f"tls={tls}"])
    assert mine.secrets == key_log_lines(tmp_path / "secrets")


@BOTH_VERSIONS
def test_our_server_reads_s_client_in_small_pieces(tmp_path, tls):
    mine, _ = meet_s_client(tmp_path, server=["key=p256", f"tls={tls}"], most=7)
    assert (mine.reason, mine.status, mine.opened) == ("finished", OK, b"hello\n")
    assert INCOMPLETE in mine.leg_statuses


@BOTH_VERSIONS
def test_s_client_sends_its_certificate_to_our_server(tmp_path, tls):
    files = write_identity(tmp_path, AUTHORITY.issue("valid", "p256", name="client", usage="client"), "client")
    options = ("-cert", files.leaf, "-key", files.key)
    mine, theirs = meet_s_client(tmp_path, *options, server=["key=p256", f"tls={tls}", "request-cert=require"])
    assert (mine.status, mine.opened) == (OK, b"hello\n")
    assert re.search(
        r"^Acceptable client certificate CA names\nCN = sspicli throw-away root$", theirs.text, re.MULTILINE
    )


@pytest.mark.parametrize(("tls", "alert"), [("1.2", 40), ("1.3", 116)])
def test_our_server_refuses_s_client_without_the_required_certificate(tmp_path, tls, alert):
    mine, theirs = meet_s_client(tmp_path, server=["key=p256", f"tls={tls}", "request-cert=require"])
    assert (mine.status, mine.alert_sent) == (INCOMPLETE_CREDENTIALS, alert)
    assert f"SSL alert number {alert}" in theirs.text


@BOTH_VERSIONS
@pytest.mark.parametrize(
    ("preset", "status", "alert"),
    [
        ("expired", SecurityStatus.SEC_E_CERT_EXPIRED, 45),
        ("untrusted", SecurityStatus.SEC_E_UNTRUSTED_ROOT, 48),
        ("wrong-usage", SecurityStatus.SEC_E_CERT_WRONG_USAGE, 43),
        ("revoked", SecurityStatus.CRYPT_E_REVOKED, 44),
    ],
)
def test_s_client_reads_the_alert_about_its_certificate(tmp_path, tls, preset, status, alert):
    files = write_identity(tmp_path, AUTHORITY.issue(preset, "p256", name="client", usage="client"), "client")
    settings = ["key=p256", f"tls={tls}", "request-cert=require"]
    options = ("-cert", files.leaf, "-key", files.key)
    mine, theirs = meet_s_client(tmp_path, *options, server=settings, client=[f"cert={preset}", "key=p256"])
    assert (mine.status, mine.alert_sent) == (status, alert)
    assert f"SSL alert number {alert}" in theirs.text


@BOTH_VERSIONS
def test_s_client_and_our_server_agree_on_an_application_protocol(tmp_path, tls):
    mine, theirs = meet_s_client(tmp_path, "-alpn", "http/1.1,h2", server=["key=p256", f"tls={tls}", "alpn=h2"])
    assert (mine.status, mine.protocol_negotiated) == (OK, b"h2")
    assert "ALPN protocol: h2" in theirs.text


@BOTH_VERSIONS
def test_our_server_refuses_s_client_without_a_common_application_protocol(tmp_path, tls):
    mine, theirs = meet_s_client(tmp_path, "-alpn", "http/1.1", server=["key=p256", f"tls={tls}", "alpn=h2"])
    assert (mine.status, mine.alert_sent) == (SecurityStatus.SEC_E_APPLICATION_PROTOCOL_MISMATCH, 120)
    assert "SSL alert number 120" in theirs.text


@pytest.mark.parametrize("versions", ["1.2", "1.3", "1.2-1.3"])
def test_our_server_refuses_tls_1_1(tmp_path, versions):
    mine, theirs = meet_s_client(
        tmp_path, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", server=["key=p256", f"tls={versions}"]
    )
    assert (mine.status, mine.alert_sent) == (SecurityStatus.SEC_E_ALGORITHM_MISMATCH, 70)
    assert "SSL alert number 70" in theirs.text


@BOTH_VERSIONS
def test_our_server_learns_that_s_client_does_not_trust_its_root(tmp_path, tls):
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(as_pem(Authority.create(seed=99, clock=CLOCK).root_der))
    mine, theirs = meet_s_client(tmp_path, server=["key=p256", f"tls={tls}"], trust=stranger)
    assert (mine.status, mine.alert_received) == (SecurityStatus.SEC_E_UNTRUSTED_ROOT, 48)
    assert theirs.code == 1
    assert "certificate verify failed" in theirs.text


@BOTH_VERSIONS
def test_our_server_learns_that_s_client_expected_another_name(tmp_path, tls):
    options = ("-verify_hostname", "elsewhere.invalid")
    mine, theirs = meet_s_client(tmp_path, *options, server=["key=p256", f"tls={tls}"])
    assert (mine.status, mine.alert_received) == (SecurityStatus.SEC_E_CERT_UNKNOWN, 42)
    assert "verify error:num=62:hostname mismatch" in theirs.text


@pytest.mark.parametrize(
    ("server", "options", "alert"),
    [
        (["tls=1.2"], ["-tls1_3"], 70),
        (["tls=1.3"], ["-tls1_2"], 70),
        (
            ["tls=1.2", f"suites={AES256}"],
            ["-cipher", AES128],
            40,
        ),
        (["tls=1.3", "groups=x25519"], ["-groups", "P-256"], 40),
        (["tls=1.3", "sigalgs=ecdsa_secp256r1_sha256"], ["-sigalgs", "RSA-PSS+SHA256"], 40),
    ],
    ids=["1.2 alone", "1.3 alone", "suite", "group", "signature"],
)
def test_our_server_refuses_s_client_with_nothing_in_common(tmp_path, server, options, alert):
    mine, theirs = meet_s_client(tmp_path, *options, server=["key=p256", *server])
    assert (mine.status, mine.alert_sent) == (SecurityStatus.SEC_E_ALGORITHM_MISMATCH, alert)
    assert f"SSL alert number {alert}" in theirs.text


@BOTH_VERSIONS
def test_s_client_resumes_with_our_server(tmp_path, tls):
    """s_client saves its session in one process and uses it in the next; our server's credential lives on."""
    plan = make_plan(Role.SERVER, make_setup(server=["key=p256", f"tls={tls}"]), messages=1, handshakes=2)
    own = ("-CAfile", write_root(tmp_path), "-verify_return_error", "-ignore_unexpected_eof")
    session = tmp_path / "session.pem"
    with listening() as (listener, port), ThreadPoolExecutor(1) as pool:
        ours = pool.submit(run_server, plan, listener)
        for option in ("-sess_out", "-sess_in"):
            command = ("s_client", "-connect", f"127.0.0.1:{port}", *own, option, session)
            with Program("openssl", *command) as program:
                program.quit_after(WORDS)  # the tickets came before it
                theirs = program.finish().text
        mine = ours.result(PATIENCE)
    assert (mine.reason, mine.status) == ("finished", OK)
    assert mine.report.is_resumed
    assert f"Reused, TLSv{tls}" in theirs


def test_s_client_answers_a_hello_retry_request_of_our_server(tmp_path):
    settings = ["key=p256", "tls=1.3", "groups=secp256r1"]
    mine, theirs = meet_s_client(tmp_path, "-groups", "X25519:P-256", server=settings)
    assert (mine.status, mine.report.group, mine.opened) == (OK, "secp256r1", b"hello\n")
    assert "Server Temp Key: ECDH, prime256v1" in theirs.text or "Peer Temp Key: ECDH, prime256v1" in theirs.text
    assert [message.name for leg in mine.report.legs for message in leg.messages].count("ClientHello") == 2


@BOTH_VERSIONS
def test_our_endpoint_ends_without_close_notify_and_s_client_notices(tmp_path, tls):
    """In kernel mode there is no ApplyControlToken to begin a shutdown with; a TCP end is all that the peer sees."""
    mine, theirs = meet_s_client(tmp_path, server=["key=p256", f"tls={tls}"], stays_open=False, tolerates=False)
    assert mine.status == OK
    assert "unexpected eof while reading" in theirs.text


@BOTH_VERSIONS
@pytest.mark.parametrize(("preset", "count"), [("valid", 1), ("long-chain", 4)])
def test_our_server_sends_the_chain_it_was_given_and_no_root(tmp_path, tls, preset, count):
    _, theirs = meet_s_client(tmp_path, "-showcerts", server=["key=p256", f"tls={tls}", f"cert={preset}"])
    assert theirs.text.partition("Server certificate\n")[0].count("BEGIN CERTIFICATE") == count


# -- openssl verify ----------------------------------------------------------------------------------------------------
class Judged(NamedTuple):
    """What `openssl verify` says of a certificate: 0 for valid, else the number of the error."""

    code: int
    text: str


def judge(folder: Path, preset: str, key: str, usage: str, *options: str | Path) -> Judged:
    files = write_identity(folder, AUTHORITY.issue(preset, key, name="localhost", usage=usage), preset)
    untrusted = ("-untrusted", files.intermediates) if files.intermediates else ()
    own = ("-attime", str(CLOCK), "-no-CApath", "-no-CAstore", "-CAfile", write_root(folder), *untrusted)
    ended = run("openssl", "verify", *own, *options, files.leaf)
    found = re.search(r"^error (\d+) at", ended.text, re.MULTILINE)
    assert (ended.code == 0) == (found is None), ended
    return Judged(int(found[1]) if found else 0, ended.text)


@pytest.mark.parametrize("usage", ["server", "client"])
@pytest.mark.parametrize("key", ["ed25519", "p256", "rsa2048"])
@pytest.mark.parametrize(
    ("preset", "code"),
    [
        ("valid", 0),
        ("long-chain", 0),
        ("large", 0),
        ("expired", 10),
        ("not-yet-valid", 9),
        ("wrong-usage", 26),
        ("untrusted", 20),
        ("self-signed", 18),
        ("wrong-name", 62),
        ("weak-key", 66),
        ("revoked", 23),
    ],
)
def test_openssl_verify_finds_what_is_wrong_with_a_preset(tmp_path, preset, code, key, usage):
    crl = tmp_path / "crl.pem"
    crl.write_bytes(x509.load_der_x509_crl(AUTHORITY.crl_der).public_bytes(Encoding.PEM))
    options = ["-purpose", f"ssl{usage}", "-x509_strict", "-auth_level", "2", "-verify_hostname", "localhost"]
    options += ["-crl_check", "-CRLfile", str(crl)] if preset in ("valid", "revoked") else []
    assert judge(tmp_path, preset, key, usage, *options).code == code


def test_openssl_verify_finds_the_clock_to_matter(tmp_path):
    files = write_identity(tmp_path, AUTHORITY.issue("expired", "p256", name="localhost", usage="server"), "expired")
    earlier = str(CLOCK - 7 * 86_400)
    root = write_root(tmp_path)
    assert run("openssl", "verify", "-attime", earlier, "-CAfile", root, files.leaf).code == 0


@pytest.mark.parametrize("preset", ["expired", "not-yet-valid", "wrong-usage", "wrong-name", "weak-key", "revoked"])
def test_our_client_refuses_a_certificate_for_the_reason_openssl_verify_gives(tmp_path, preset):
    setup = make_setup(server=[f"cert={preset}"])
    package, journal = create_package("schannel"), Journal()
    pair(
        make_plan(Role.CLIENT, setup),
        make_plan(Role.SERVER, setup),
        find=lambda _: package,
        describe=describe,
        journal=journal,
    ).run()
    failure = report(journal.records).failure
    crl = tmp_path / "crl.pem"
    crl.write_bytes(x509.load_der_x509_crl(AUTHORITY.crl_der).public_bytes(Encoding.PEM))
    options = ["-purpose", "sslserver", "-auth_level", "2", "-verify_hostname", "localhost"]
    options += ["-crl_check", "-CRLfile", str(crl)] if preset == "revoked" else []
    assert failure is not None
    assert failure.evidence is not None
    assert failure.evidence.verify_code == judge(tmp_path, preset, "ed25519", "server", *options).code


def key_log_lines(path: Path) -> set[str]:
    """Read a key log, without its comments."""
    return {line for line in path.read_text("ascii").splitlines() if line and not line.startswith("#")}
