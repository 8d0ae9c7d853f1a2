"""tshark's lists of names as the judge of our registries: every number that both know has the same name in both.

The rule guarded here: a number of IANA's that tshark 4.0 can name has a name here. What tshark takes from elsewhere
(experiments, drafts, SSL 2 and 3, GREASE) is left out by number, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sspicli.sspi.alerts import alert_name
from sspicli.tokens.tls_names import (
    content_type_name,
    extension_name,
    group_name,
    handshake_name,
    is_grease,
    scheme_name,
    suite_name,
)
from tests.peers.programs import run
from tests.peers.tshark import plain

pytestmark = pytest.mark.peer

REGISTRIES: dict[str, Callable[[int], str]] = {
    "tls.record.content_type": content_type_name,
    "tls.handshake.type": handshake_name,
    "tls.handshake.ciphersuite": suite_name,
    "tls.handshake.extension.type": extension_name,
    "tls.handshake.extensions_supported_group": group_name,
    "tls.handshake.sig_hash_alg": scheme_name,
    "tls.alert_message.desc": alert_name,
}
# Numbers whose name in tshark 4.0 is none of IANA's for TLS, or is not what IANA writes.
NOT_IANA: dict[str, list[tuple[range, str]]] = {
    "tls.record.content_type": [(range(25, 26), "a record of DTLS")],
    "tls.handshake.type": [
        (range(7, 8), "SSL 2"),
        (range(21, 22), "IANA writes certificate_url"),
        (range(67, 68), "tshark has the draft's older name"),
    ],
    "tls.handshake.ciphersuite": [
        (range(0x001C, 0x001E), "SSL 3; reserved"),
        (range(0x0060, 0x0067), "drafts; reserved"),
        (range(0x0080, 0x0084), "drafts; not registered"),
        (range(0xCC13, 0xCC16), "drafts; not registered"),
        (range(0xE000, 0xE500), "China's TLCP, and drafts; not registered"),
        (range(0xFE00, 0x10000), "for private use"),
    ],
    "tls.handshake.extension.type": [
        (range(23, 24), "IANA calls it extended_main_secret by now"),
        (range(34, 35), "IANA writes delegated_credential"),
        (range(40, 41), "reserved"),
        (range(46, 47), "reserved"),
        (range(53, 54), "deprecated, and of DTLS"),
        (range(17513, 17514), "two of that name: 17613 is the newer"),
        (range(0x754F, 0x7551), "not registered"),
        (range(0xFFA5, 0xFFA6), "a draft's number"),
        (range(0xFFCE, 0xFFCF), "a draft's number"),
    ],
    "tls.handshake.extensions_supported_group": [
        (range(0x0200, 0x0300), "experiments; ML-KEM has 0x0200 to 0x0202 by now"),
        (range(0x2F00, 0x3000), "experiments"),
    ],
    "tls.handshake.sig_hash_alg": [(range(0xFE00, 0xFF00), "experiments")],
    "tls.alert_message.desc": [(range(1, 2), "a draft of TLS 1.3")],
}


def names_of_tshark(folder: Path) -> dict[str, dict[int, set[str]]]:
    """Read which name tshark has for which number; SSL 2's messages share numbers with those of TLS."""
    names: dict[str, dict[int, set[str]]] = {one: {} for one in REGISTRIES}
    for line in run("tshark", "-G", "values", home=folder).text.splitlines():
        words = line.split("\t")
        if words[0] == "V" and words[1] in names:
            names[words[1]].setdefault(int(words[2], 0), set()).add(words[3])
    return names


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[int, set[str]]]:
    return names_of_tshark(tmp_path_factory.mktemp("names"))


@pytest.mark.parametrize("registry", REGISTRIES)
def test_what_tshark_can_name_has_the_same_name_here(theirs: dict[str, dict[int, set[str]]], registry: str):
    left_out = {number for numbers, _ in NOT_IANA.get(registry, []) for number in numbers}
    for number, names in theirs[registry].items():
        if number not in left_out and not is_grease(number):
            assert plain(REGISTRIES[registry](number)) in map(plain, names), hex(number)


@pytest.mark.parametrize("registry", NOT_IANA)
def test_every_number_that_is_left_out_differs(theirs: dict[str, dict[int, set[str]]], registry: str):
    for numbers, reason in NOT_IANA[registry]:
        differing = [
            number
            for number, names in theirs[registry].items()
            if number in numbers and plain(REGISTRIES[registry](number)) not in map(plain, names)
        ]
        assert differing, reason


def test_tshark_has_hundreds_of_names(theirs: dict[str, dict[int, set[str]]]):
    assert {registry: len(names) for registry, names in theirs.items() if len(names) < 6} == {}
    assert sum(map(len, theirs.values())) > 700
