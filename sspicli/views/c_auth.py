"""The credential structure of an acquire call as C: SCH_CREDENTIALS with its TLS_PARAMETERS, as far as it is on record.

Fields that SCH_CREDENTIALS does not have are emulated and stand in a comment; certificates are declared, not written
out, and private keys are never on record.
"""

from __future__ import annotations

from collections.abc import Mapping

from sspicli.sspi.schannel import SCH_CREDENTIALS_VERSION, SCHANNEL_CRED_VERSION
from sspicli.views.c_words import CREDENTIAL_FLAGS, INDENT, PROTOCOLS, comment, named_bits

_EMULATED = {
    "suites": "cipher suites",
    "groups": "groups",
    "sigalgs": "signature algorithms",
    "clock": "certificates are judged at Unix time",
    "requires_client_certificate": "a client without a certificate is refused",
}


def auth_declarations(name: str, auth_data: Mapping[str, object], *, width: int) -> list[str]:
    """Declare what `&name` points at."""
    version = auth_data.get("dwVersion")
    if not isinstance(version, int):
        text = f"{name}: what the structure of type {auth_data.get('type')} holds is not on record"
        return [*comment(text, width=width), f"static unsigned char {name}[1];"]
    rows = _emulated(auth_data, width)
    labels = auth_data.get("labels")
    certificates = labels if isinstance(labels, tuple) else ()
    if certificates:
        rows += comment(f"certificates, left out: {', '.join(map(str, certificates))}", width=width)
        rows.append(f"static PCCERT_CONTEXT {name}_certificates[{len(certificates)}];")
    members = {"dwVersion": _version(version)}
    if certificates:
        members |= {"cCreds": str(len(certificates)), "paCred": f"{name}_certificates"}
    if version == SCHANNEL_CRED_VERSION:
        return rows + _old_structure(name, auth_data, members)
    disabled = _number(auth_data, "grbitDisabledProtocols")
    if disabled:
        rows.append(f"static TLS_PARAMETERS {name}_tls = {{")
        rows += [f"{INDENT}.grbitDisabledProtocols = {named_bits(disabled, PROTOCOLS)},", "};"]
        members |= {"cTlsParameters": "1", "pTlsParameters": f"&{name}_tls"}
    return rows + _structure("SCH_CREDENTIALS", name, members | _common(auth_data))


def _old_structure(name: str, auth_data: Mapping[str, object], members: dict[str, str]) -> list[str]:
    """Declare SCHANNEL_CRED, which names enabled protocols instead of disabled ones."""
    enabled = named_bits(_number(auth_data, "grbitEnabledProtocols"), PROTOCOLS)
    return _structure("SCHANNEL_CRED", name, members | {"grbitEnabledProtocols": enabled} | _common(auth_data))


def _common(auth_data: Mapping[str, object]) -> dict[str, str]:
    lifespan = _number(auth_data, "dwSessionLifespan")
    members = {"dwFlags": named_bits(_number(auth_data, "dwFlags"), CREDENTIAL_FLAGS)}
    return members | ({"dwSessionLifespan": f"0x{lifespan & 0xFFFFFFFF:08X}"} if lifespan else {})


def _structure(kind: str, name: str, members: Mapping[str, str]) -> list[str]:
    return [f"static {kind} {name} = {{", *(f"{INDENT}.{key} = {value}," for key, value in members.items()), "};"]


def _version(version: int) -> str:
    known = {SCH_CREDENTIALS_VERSION: "SCH_CREDENTIALS_VERSION", SCHANNEL_CRED_VERSION: "SCHANNEL_CRED_VERSION"}
    return known.get(version, str(version))


def _number(auth_data: Mapping[str, object], key: str) -> int:
    value = auth_data.get(key)
    return value if isinstance(value, int) else 0


def _emulated(auth_data: Mapping[str, object], width: int) -> list[str]:
    """Say what was told the emulation, and has no member in the structure."""
    said = []
    for key, words in _EMULATED.items():
        value = auth_data.get(key)
        if value is True:
            said.append(words)
        elif isinstance(value, tuple) and value:
            said.append(f"{words} {', '.join(map(str, value))}")
        elif isinstance(value, int) and value:
            said.append(f"{words} {value}")
    roots = auth_data.get("hRootStore")
    if isinstance(roots, tuple):
        said.append(f"hRootStore holds {len(roots)} certificate{'' if len(roots) == 1 else 's'}, left out")
    return comment(f"emulated: {'; '.join(said)}", width=width) if said else []
