"""The words that a format knows, so that the fuzzer need not guess them letter by letter."""

from __future__ import annotations

from sspicli.journal.codec import EVENT_TYPES
from sspicli.sspi.functions import Function
from sspicli.sspi.handles import HandleKind
from sspicli.sspi.status import SecurityStatus

_KEYLOG = ["CLIENT_RANDOM ", "CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_TRAFFIC_SECRET_0 ", "ab" * 16, "cd" * 24]
_JSON = ["null", "true", "false", "NaN", "1e999", "-0", '\\"hex\\":', '\\"same\\":', "{}", "[]", "\\\\ud800", "\\\\n"]


def words(target: str) -> list[str]:
    """List a target's words, in the escapes of libFuzzer's dictionaries."""
    if target == "keylog":
        return _KEYLOG
    if target == "recording":
        handles = [f"client.{kind}1" for kind in HandleKind]
        members = {name for kind in EVENT_TYPES.values() for name in kind.__annotations__}
        names = [*EVENT_TYPES, *(one.name for one in Function), *list(SecurityStatus.__members__)[:20]]
        return [*_JSON, *handles, *names, *(f'\\"{name}\\":' for name in sorted(members))]
    if target == "client":
        protocol = ("type", "request", "seq", "command", "arguments")
        return ["Content-Length: ", "\\x0d\\x0a\\x0d\\x0a", *(f'\\"{name}\\":' for name in protocol)]
    if target == "tls":
        return [r"\xff\xfe\xfd\xfc", r"\x16\x03\x03", r"\x17\x03\x03", r"\x03\x04", r"\x00\x2b\x00\x03", r"\x13\x01"]
    if target == "notation":
        return ["-----BEGIN ", "-----END ", "Negotiate ", "Authorization: ", "0x", "00000010  ", "|..|", "=="]
    if target == "scenario":
        return [
            "- ",
            ": ",
            "? ",
            "---\\x0a",
            "...\\x0a",
            " #",
            "|-\\x0a  ",
            ">+\\x0a ",
            "\\x0a  ",
            "null",
            "0x",
            ".nan",
            "<<: ",
            "\\xef\\xbb\\xbf",
        ]
    return []
