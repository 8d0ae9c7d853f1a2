"""The settings of an endpoint: every row read, every wrong word answered."""

import difflib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.packages.descriptions import ascii_name
from sspicli.packages.openssl_names import CIPHER_SUITES, GROUPS, SIGNATURE_ALGORITHMS
from sspicli.packages.option_values import CERT_PRESETS, KEY_KINDS, SIDES, EndpointSettings, suggestion
from sspicli.packages.options import SETTINGS, parse_settings, settings_of
from sspicli.sspi.errors import InputError, SspiCliError, UsageError
from sspicli.sspi.flags import AscReq, IscReq

BOTH_SIDES = pytest.mark.parametrize("side", SIDES)


def refused(side, *pairs, kind=UsageError):
    with pytest.raises(kind) as caught:
        parse_settings(side, pairs)
    assert type(caught.value) is kind
    return caught.value


def words_of(error):
    return f"{error.message} {error.help} {error.where} {error.cause}"


def test_a_client_without_settings_has_no_certificate_and_checks_localhost():
    settings = parse_settings("client", [])
    assert settings == EndpointSettings(side="client", target="localhost")
    assert settings.cert == "none"


def test_a_server_without_settings_shows_a_valid_ed25519_certificate_and_gives_tickets():
    settings = parse_settings("server", [])
    assert settings == EndpointSettings(side="server", cert="valid", resume=True)
    assert settings.key == "ed25519"


@BOTH_SIDES
def test_each_default_is_one_that_a_user_could_write(side):
    pairs = [f"{row.key}={row.default}" for row in settings_of(side) if row.default and row.key != "key"]
    assert parse_settings(side, pairs) == parse_settings(side, [])


@BOTH_SIDES
def test_each_choice_of_each_row_is_accepted_in_any_case_and_has_a_meaning(side, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.pem").touch()
    needed = {"key": ["cert=valid"], "key-password-file": ["cert=x.pem"]}
    for row in settings_of(side):
        for word, meaning in row.choices.items():
            given_with = needed.get(row.key, [])
            assert meaning
            expected = parse_settings(side, [*given_with, f"{row.key}={word}"])
            assert parse_settings(side, [*given_with, f"{row.key}={word.upper()}"]) == expected


@BOTH_SIDES
def test_each_row_says_how_it_is_written_and_what_it_does(side):
    for row in settings_of(side):
        assert row.synopsis == f"{row.key}={row.value}"
        assert row.text.startswith(row.help)
        assert row.help.endswith(".")
        assert not row.default or row.default in row.text


@BOTH_SIDES
def test_no_side_has_a_setting_twice(side):
    keys = [row.key for row in settings_of(side)]
    assert len(keys) == len(set(keys))


def test_presets_and_key_kinds_are_described_by_one_sentence():
    for text in (*CERT_PRESETS.values(), *KEY_KINDS.values()):
        assert text.count(". ") == 0
        assert text.endswith(".")


@pytest.mark.parametrize("preset", CERT_PRESETS)
@BOTH_SIDES
def test_a_preset_is_no_file(side, preset):
    settings = parse_settings(side, [f"cert={preset}"])
    assert (settings.cert, settings.cert_file) == (preset, None)


def test_an_existing_file_is_no_preset(tmp_path):
    path = tmp_path / "mine.pem"
    path.touch()
    settings = parse_settings("server", [f"cert={path}", f"key={path}", "key-password-file=-"])
    assert (settings.cert, settings.cert_file) == ("", str(path))
    assert (settings.key, settings.key_file) == ("", str(path))
    assert settings.key_password_file == "-"


def test_a_preset_wins_over_a_file_of_that_name_unless_written_as_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "valid").touch()
    (tmp_path / "word").touch()
    assert parse_settings("server", ["cert=valid"]).cert == "valid"
    assert parse_settings("server", ["cert=./valid"]).cert_file == "./valid"
    assert parse_settings("server", ["cert=word"]).cert_file == "word"


def test_a_tilde_is_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "mine.pem").touch()
    assert parse_settings("server", ["cert=~/mine.pem"]).cert_file == str(tmp_path / "mine.pem")


@pytest.mark.parametrize("key", ["cert", "trust"])
@pytest.mark.parametrize("path", ["./absent", "a/b", "absent.pem", "C:\\absent", "x/" * 3000, "~nobody-here/x"])
def test_what_looks_like_a_path_and_is_not_there_is_an_input_error(key, path):
    assert refused("server", f"{key}={path}", kind=InputError).where == path


@pytest.mark.parametrize(
    ("pair", "meant"),
    [
        ("cert=expred", '"expired"'),
        ("cert=Not-Yet-Vald", '"not-yet-valid"'),
        ("key=ed2519", '"ed25519"'),
        ("trust=sytem", '"system"'),
        ("resume=tickets", '"ticket"'),
        ("suites=TLS_AES_128_GCM_SHA265", '"TLS_AES_128_GCM_SHA256"'),
        ("groups=X25519,P-265", '"P-256"'),
        ("sigalgs=ecdsa_secp256r1_sha265", '"ecdsa_secp256r1_sha256"'),
        ("request-cert=requires", '"require"'),
        ("flags=MUTUAL_AUT", '"MUTUAL_AUTH"'),
    ],
)
def test_an_unknown_value_is_answered_with_the_nearest_known_one(pair, meant):
    error = refused("server", pair)
    assert "unknown" in error.message
    assert f"did you mean {meant}?" in error.help
    assert error.where == f"--server {pair.partition('=')[0]}={error.where.partition('=')[2]}"


@pytest.mark.parametrize(
    ("pair", "words"),
    [("tls=1.1", "1.2, 1.3, 1.2-1.3"), ("resume=", "off, ticket"), ("key=", "ed25519, p256, rsa2048")],
)
def test_an_unknown_value_among_few_is_answered_with_all_of_them(pair, words):
    error = refused("server", pair)
    assert error.help == f"it takes {words}"


@pytest.mark.parametrize(
    ("key", "meant"), [("cret", "cert"), ("alp", "alpn"), ("suite", "suites"), ("REQUEST_CERT", "request-cert")]
)
def test_an_unknown_key_is_answered_with_the_nearest_known_one(key, meant):
    error = refused("server", f"{key}=value-not-to-show")
    assert error.help == f'did you mean "{meant}"?'
    assert "value-not-to-show" not in words_of(error)


def test_an_unknown_key_like_no_other_is_answered_with_the_list():
    assert "cert, key, key-password-file" in refused("client", "zzz=1").help


@pytest.mark.parametrize(
    ("side", "pair", "owner"),
    [("server", "target=x", "client"), ("server", "validate=auto", "client"), ("client", "request-cert=yes", "server")],
)
def test_a_setting_of_the_other_side_is_named_as_such(side, pair, owner):
    assert f"of the {owner} only" in refused(side, pair).message


@BOTH_SIDES
@pytest.mark.parametrize("key", ["key-password", "password", "PASSPHRASE", "key_password", "pwd", "key-password-files"])
def test_a_password_is_never_a_value_and_never_shown(side, key):
    error = refused(side, f"{key}=hunter2")
    assert "key-password-file=FILE" in error.help
    assert "hunter2" not in words_of(error)


@pytest.mark.parametrize("pairs", [["tls=1.2", "tls=1.2"], ["target=", "TARGET=x"], ["alpn=h2", "alpn=h3"]])
def test_a_key_given_twice_is_refused(pairs):
    assert "given twice" in refused("client", *pairs).message


@pytest.mark.parametrize("pair", ["cert", "tls"])
def test_a_key_without_a_value_says_how_it_is_written(pair):
    assert f"write {pair}=" in refused("client", pair).help


@pytest.mark.parametrize(("value", "versions"), [("1.2", ("1.2",)), ("1.3", ("1.3",)), ("1.2-1.3", ("1.2", "1.3"))])
def test_tls_is_a_version_or_a_range(value, versions):
    assert parse_settings("client", [f"tls={value}"]).tls == versions


@pytest.mark.parametrize("suite", CIPHER_SUITES)
def test_a_suite_is_known_by_its_iana_and_openssl_names(suite):
    for name in (suite.iana_name, suite.openssl_name, suite.iana_name.lower()):
        assert parse_settings("client", [f"suites={name}"]).suites == (suite.iana_name,)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_is_known_by_all_its_names(group):
    for name in (group.iana_name, group.openssl_name, group.openssl_name.lower(), *group.aliases):
        assert parse_settings("client", [f"groups={name}"]).groups == (group.iana_name,)


@pytest.mark.parametrize("algorithm", SIGNATURE_ALGORITHMS)
def test_a_signature_algorithm_is_known_by_both_its_names(algorithm):
    for name in (algorithm.iana_name, algorithm.openssl_name.upper()):
        assert parse_settings("server", [f"sigalgs={name}"]).sigalgs == (algorithm.iana_name,)


def test_a_list_keeps_its_order_and_loses_its_spaces():
    assert parse_settings("client", ["groups=P-384, x25519 ,P-256"]).groups == ("secp384r1", "x25519", "secp256r1")


@pytest.mark.parametrize("pair", ["groups=", "groups=x25519,,P-256", "suites=,", "alpn=", "flags=", "sigalgs= "])
def test_an_empty_name_in_a_list_is_refused(pair):
    assert "empty" in refused("client", pair).message


@pytest.mark.parametrize("pair", ["groups=x25519,X25519", "groups=P-256,secp256r1", "alpn=h2,h2"])
def test_a_name_twice_in_a_list_is_refused(pair):
    assert "twice" in refused("client", pair).message


def test_alpn_ids_are_bytes_written_as_characters():
    assert parse_settings("client", ["alpn=h2,http/1.1,\xff"]).alpn == ("h2", "http/1.1", "\xff")


@pytest.mark.parametrize("value", ["x" * 256, "h2,\u0100", "\ud800"])
def test_an_alpn_id_that_is_no_byte_string_of_1_to_255_is_refused(value):
    assert "1 to 255 bytes" in refused("client", f"alpn={value}").message


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("", None),
        ("host.example", "host.example"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("2001:DB8::0001", "2001:db8::1"),
        ("a=b", "a=b"),
    ],
)
def test_a_target_is_an_ascii_name_or_none(value, target):
    assert parse_settings("client", [f"target={value}"]).target == target


@pytest.mark.parametrize("value", ["a b", "a\x00b", "a\x1b[2J", "a\nb", "x" * 254, "\u202e", "é" * 300, "\udc80"])
def test_a_target_that_no_handshake_can_carry_is_refused(value):
    error = refused("client", f"target={value}")
    assert error.where.startswith("--client target=")
    assert len(error.where) < 100


@pytest.mark.parametrize(
    ("side", "value", "word"),
    [
        ("client", "ISC_REQ_MUTUAL_AUTH", IscReq.MUTUAL_AUTH),
        ("client", "identify,mutual_auth", IscReq.IDENTIFY | IscReq.MUTUAL_AUTH),
        ("server", "identify", AscReq.IDENTIFY),
        ("server", "asc_req_stream,INTEGRITY", AscReq.STREAM | AscReq.INTEGRITY),
    ],
)
def test_flags_are_read_in_the_numbering_of_their_side(side, value, word):
    assert parse_settings(side, [f"flags={value}"]).flags == word


@pytest.mark.parametrize(("side", "value"), [("client", "ASC_REQ_STREAM"), ("server", "ISC_REQ_STREAM")])
def test_a_flag_of_the_other_numbering_is_named_as_such(side, value):
    assert "another numbering" in refused(side, f"flags={value}").help


@BOTH_SIDES
def test_a_flag_above_32_bits_belongs_elsewhere(side):
    assert "SECBUFFER_FLAGS" in refused(side, "flags=MESSAGES").message


@pytest.mark.parametrize(
    "pairs",
    [
        ["key=p256"],
        ["cert=none", "key=p256"],
        ["cert=valid", "key={file}"],
        ["cert={file}", "key=p256"],
        ["cert=valid", "key-password-file=-"],
        ["key-password-file={file}"],
        ["cert={file}", "key-password-file="],
    ],
)
def test_what_would_have_no_effect_or_two_is_refused(tmp_path, pairs):
    path = tmp_path / "mine.pem"
    path.touch()
    refused("client", *[one.replace("{file}", str(path)) for one in pairs])


def test_trust_is_throw_away_system_or_a_file(tmp_path):
    path = tmp_path / "roots.pem"
    path.touch()
    assert parse_settings("client", ["trust=system"]).trust == "system"
    settings = parse_settings("client", [f"trust={path}"])
    assert (settings.trust, settings.trust_file) == ("", str(path))


def test_a_suggestion_looks_at_a_long_word_only_in_part():
    assert suggestion("x" * 10**6, CERT_PRESETS) == ""
    assert difflib.get_close_matches("vald", CERT_PRESETS)[0] in suggestion("vald", CERT_PRESETS)


def test_an_ascii_name_has_1_to_253_characters():
    assert ascii_name("a" * 253) == "a" * 253
    for name in ("", "a" * 254, "\udc80", "é" * 64):
        with pytest.raises(UsageError):
            ascii_name(name)


def test_reading_settings_loads_no_engine():
    code = "import sys, sspicli.packages.options; print({'cryptography', 'OpenSSL', 'difflib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


KEYS = st.sampled_from([row.key for row in SETTINGS]) | st.text(max_size=20)
WORDS = st.sampled_from([word for row in SETTINGS for word in row.choices]) | st.text(max_size=40)
VALUES = st.lists(WORDS, max_size=3).map(",".join)
PAIRS = st.tuples(KEYS, VALUES).map("=".join) | st.text(max_size=60)


@given(side=st.sampled_from(SIDES), pairs=st.lists(PAIRS, max_size=4))
def test_any_pairs_give_settings_or_an_error_of_ours(side, pairs):
    problem = None
    try:
        settings = parse_settings(side, pairs)
    except SspiCliError as error:
        problem = error
    if problem is None:
        assert settings.side == side
    else:
        assert problem.message
        assert len(words_of(problem)) < 2_000


@given(value=st.text(min_size=12, max_size=60), key=st.text(max_size=20))
def test_the_value_of_an_unknown_key_is_never_shown(value, key):
    pair = f"{key}={value}"
    name, _, secret = pair.partition("=")
    if name.strip().lower() in {row.key for row in SETTINGS} or secret in name:
        return
    shown = words_of(refused("client", pair))
    assert secret not in shown
