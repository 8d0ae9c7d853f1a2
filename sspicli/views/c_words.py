"""Words of C for the calls of a run: constants by their names, initialisers, comments that no data can end.

The rule guarded here: data never becomes code. Whatever a recording holds is written as a number, as a name made of
letters and digits, or inside a comment or a string in which nothing can close it.

Source: sspi.h and schannel.h (header) for the names and the order of the members of each structure.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping

from sspicli.sspi import schannel
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.buffers import ATTRIBUTE_MASK, READONLY, READONLY_WITH_CHECKSUM, BufferType
from sspicli.sspi.flags import AscReq, CredentialUse, IscReq, flag_names
from sspicli.sspi.functions import Function
from sspicli.views.text import visible

INDENT = "    "
_BYTES_SHOWN = 12  # at the head of a token, in a comment

CREDENTIAL_FLAGS = {
    name: value for name, value in vars(schannel).items() if name.startswith("SCH_CRED_") and isinstance(value, int)
}
PROTOCOLS = {
    name: value
    for name, value in vars(schannel).items()
    if name.startswith("SP_PROT_") and isinstance(value, int) and value & (value - 1) == 0
}

_STRUCTURES = {
    ContextAttribute.SIZES: "SecPkgContext_Sizes",
    ContextAttribute.LIFESPAN: "SecPkgContext_Lifespan",
    ContextAttribute.STREAM_SIZES: "SecPkgContext_StreamSizes",
    ContextAttribute.SESSION_KEY: "SecPkgContext_SessionKey",
    ContextAttribute.UNIQUE_BINDINGS: "SecPkgContext_Bindings",
    ContextAttribute.ENDPOINT_BINDINGS: "SecPkgContext_Bindings",
    ContextAttribute.APPLICATION_PROTOCOL: "SecPkgContext_ApplicationProtocol",
    ContextAttribute.REMOTE_CERT_CONTEXT: "PCCERT_CONTEXT",
    ContextAttribute.LOCAL_CERT_CONTEXT: "PCCERT_CONTEXT",
    ContextAttribute.REMOTE_CERT_CHAIN: "PCCERT_CONTEXT",
    ContextAttribute.ISSUER_LIST_EX: "SecPkgContext_IssuerListInfoEx",
    ContextAttribute.CONNECTION_INFO: "SecPkgContext_ConnectionInfo",
    ContextAttribute.SESSION_INFO: "SecPkgContext_SessionInfo",
    ContextAttribute.CIPHER_INFO: "SecPkgContext_CipherInfo",
    ContextAttribute.KEYING_MATERIAL_INFO: "SecPkgContext_KeyingMaterialInfo",
    ContextAttribute.KEYING_MATERIAL: "SecPkgContext_KeyingMaterial",
}


def structure(attribute: int) -> str:
    """Name the type that QueryContextAttributes fills for an attribute; a PVOID where that is not known here."""
    return next((name for known, name in _STRUCTURES.items() if known == attribute), "PVOID")


def attribute_constant(attribute: int) -> str:
    """Name an attribute as the header does; an unknown one is a number."""
    known = {one.value: f"SECPKG_ATTR_{one.name}" for one in ContextAttribute}
    return known.get(attribute, str(attribute))


def requirements(function: Function, word: int) -> list[str]:
    """Name the flags of fContextReq or fCredentialUse, each for itself; `0` for none."""
    if function is Function.SspiAcquireCredentialsHandleAsync:
        return list(flag_names(CredentialUse(word))) or ["0"]
    is_client = function is Function.SspiInitializeSecurityContextAsync
    return list(flag_names(IscReq(word) if is_client else AscReq(word))) or ["0"]


def named_bits(word: int, names: Mapping[str, int]) -> str:
    """Write a word of flags as names joined by bars, what has no name as one hex number."""
    known = [name for name, value in names.items() if value & word]
    rest = word & 0xFFFFFFFF & ~sum(names[name] for name in known)
    return " | ".join([*known, *([f"0x{rest:08X}"] if rest else [])]) or "0"


def buffer_constant(buffer_type: int) -> str:
    """Write a buffer type with its attributes: `SECBUFFER_TOKEN | SECBUFFER_READONLY`."""
    plain = buffer_type & ~ATTRIBUTE_MASK
    known = {one.value: f"SECBUFFER_{one.name}" for one in BufferType}
    parts = [known.get(plain, str(plain))]
    for name, bit in (("READONLY", READONLY), ("READONLY_WITH_CHECKSUM", READONLY_WITH_CHECKSUM)):
        if buffer_type & bit:
            parts.append(f"SECBUFFER_{name}")
    return " | ".join(parts)


def identifier(text: object) -> str:
    """Make a name of C out of a handle's: `client.call2` becomes client_call2."""
    return re.sub(r"\W", "_", str(text), flags=re.ASCII)


def wide_string(text: str) -> str:
    r"""Write a wide string literal; what is not plain is written as `\x` with a break behind it."""
    units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    shown = "".join(chr(one) if 0x20 <= one < 0x7F and one not in b'"\\?' else f'\\x{one:04x}" L"' for one in units)
    return f'L"{shown}"'


def hex_head(data: bytes) -> str:
    """Show the first bytes of a buffer, for a comment."""
    more = " ..." if len(data) > _BYTES_SHOWN else ""
    return data[:_BYTES_SHOWN].hex(" ") + more


def byte_rows(data: bytes) -> list[str]:
    """Write bytes as the rows of an initialiser, twelve to a row."""
    return [INDENT + " ".join(f"0x{one:02x}," for one in data[start : start + 12]) for start in range(0, len(data), 12)]


def comment(text: str, *, indent: str = "", width: int) -> list[str]:
    """Write a comment, over several lines where it is long; no data in it can end it."""
    safe = visible(text, 4000).replace("*/", "* /").replace("/*", "/ *")
    rows = textwrap.wrap(safe, max(width - len(indent) - 6, 30), break_long_words=True, break_on_hyphens=False) or [""]
    if len(rows) == 1:
        return [f"{indent}/* {rows[0]} */"]
    return [f"{indent}/* {rows[0]}", *(f"{indent} * {row}" for row in rows[1:-1]), f"{indent} * {rows[-1]} */"]


def joined(parts: Iterable[str], *, indent: str, width: int) -> list[str]:
    """Join flags by bars over as many rows as they need; later rows stand below the first."""
    rows: list[str] = []
    for part in parts:
        if rows and len(indent) + len(rows[-1]) + 3 + len(part) <= width - 30:
            rows[-1] += f" | {part}"
        else:
            rows.append(part)
    return [f"{row} |" for row in rows[:-1]] + rows[-1:]
