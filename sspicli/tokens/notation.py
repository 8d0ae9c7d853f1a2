r"""How bytes were written down: hex in its many spellings, dumps with offsets, base64, PEM, an HTTP header, or as is.

The rule guarded here: nothing is read two ways. Each notation is told by marks of its own and read strictly; a text
that fits none is refused with a reason, and what was taken for what is part of the answer. Everything is linear in its
input, and no length in it is believed: a dump whose last offset says 4 GiB is refused before a byte is laid out.

What is secret stays out of the answer: of a private key, of Basic and Bearer there are no bytes, only words.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

MAX_BYTES = 16 << 20
"""More than this is no token; larger texts and dumps are refused."""


class Notation(StrEnum):
    """How bytes are written down."""

    HEX = "hex"
    DUMP = "hexdump"
    BASE64 = "base64"
    PEM = "pem"
    HEADER = "header"
    RAW = "raw"
    RECORDING = "recording"


class Block(NamedTuple):
    """One run of bytes in a text.

    `label` is a PEM block's or the header's scheme, "" for none. `sender` is "client" or "server" where the notation
    says who sent it, else "". `note` says in words what is not given as bytes: a password, a key, a header with no
    token.
    """

    data: bytes
    label: str = ""
    sender: str = ""
    note: str = ""


class Written(NamedTuple):
    """A notation and the bytes in it; of a recording there are none, its own reader opens it."""

    notation: Notation
    blocks: tuple[Block, ...]


class NotationError(ValueError):
    """A text that is not written as it should be; the message is a sentence for its author."""


class WrongFileError(NotationError):
    """A file of a known kind that holds no token; `way_out` says what to do with it."""

    def __init__(self, message: str, way_out: str) -> None:
        super().__init__(message)
        self.way_out = way_out


def read_notation(data: bytes, notation: Notation | None = None) -> Written:
    """Read bytes as they are written down; the notation is told by its marks unless it is given."""
    if len(data) > MAX_BYTES and notation is not Notation.RECORDING and not begins_recording(data):
        raise NotationError(f"{len(data):,} bytes are more than the {MAX_BYTES:,} a token may have")
    found = _told(data) if notation is None else notation
    if found is Notation.RECORDING:
        return Written(found, ())
    if found is Notation.RAW:
        if not data:
            raise NotationError("there are no bytes")
        _refuse_key_log(_text(data) or data.decode("latin-1"))
        return Written(found, (Block(data),))
    text = _text(data)
    if text is None:
        raise NotationError(f"it is written as {found}, which is text, and these bytes are none")
    if not text.strip():
        raise NotationError("there is nothing in it but blanks" if text else "there are no bytes")
    if found is not Notation.PEM and found is not Notation.HEADER:  # which leave out what is not theirs
        _refuse_key_log(text)
    blocks = tuple(_READERS[found](text))
    if not blocks or not any(block.data or block.note for block in blocks):
        raise NotationError(f"there are no bytes in it, read as {found}")
    return Written(found, blocks)


# -- telling -----------------------------------------------------------------------------------------------------------


def _told(data: bytes) -> Notation:
    """Tell a notation by its marks."""
    if begins_recording(data):
        return Notation.RECORDING
    if data.startswith(_CAPTURES):
        name = "pcapng" if data.startswith(_PCAPNG) else "pcap"
        way_out = "export the bytes of one message as hex, in Wireshark with Copy, ...as a Hex Stream"
        raise WrongFileError(f"it is a {name} capture, not a token", way_out)
    text = _text(data)
    if text is None:
        return Notation.RAW
    if _PEM_BEGIN.search(text):
        return Notation.PEM
    if any(_HEADER.match(line) for line in text.splitlines()):
        return Notation.HEADER
    _refuse_key_log(text)
    if _is_dump(text):
        return Notation.DUMP
    if not text.strip():
        raise NotationError("there is nothing in it but blanks" if text else "there are no bytes")
    if _is_hex(text):
        return Notation.HEX
    if not set(text) - _BASE64_MARKS:
        return Notation.BASE64
    raise NotationError("it is written in no notation that is known here")


def _refuse_key_log(text: str) -> None:
    """Refuse a text with lines of an NSS key log, of which nothing is shown."""
    if _KEY_LOG.search(text):
        raise WrongFileError("it is a key log, not a token", "give it as --keylog FILE beside the tokens it opens")


def begins_recording(data: bytes) -> bool:
    """Say whether bytes begin as the first line of a recording does."""
    return data.startswith(b'{"schema"')


def _text(data: bytes) -> str | None:
    """Give the text that the bytes are; None when they are no text."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


_PCAPNG = b"\x0a\x0d\x0d\x0a"
_CAPTURES = (_PCAPNG, *map(bytes.fromhex, ("d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d")))
_KEY_LOG = re.compile(  # a label of hex digits alone would be hex
    r"^[ \t]*(?:(?=[A-F0-9]*[G-Z_])[A-Z][A-Z0-9_]{2,63}[ \t]+[0-9a-fA-F]{64}|RSA[ \t]+[0-9a-fA-F]{16})"
    r"[ \t]+[0-9a-fA-F]{64}",
    re.MULTILINE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_HEX_MARKS = frozenset("0123456789abcdefABCDEFxX \t\r\n\f\v,:;-\"'\\")
_STRAY_X = re.compile(r"(?<![0\\])[xX]|(?<=\w0)[xX]")  # an x that is not of a `0x` or `\x` at the front of its word
_BASE64_MARKS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_= \t\r\n")


# -- hex ---------------------------------------------------------------------------------------------------------------


def _read_hex(text: str) -> list[Block]:
    """Read hex digits with anything people put between them, and the arrays and strings of C."""
    text = _without_comments(text)
    if "\\x" in text:
        return [Block(_escapes(text))]
    if "{" in text:
        return [Block(_c_bytes(array.inside), sender=array.sender) for array in _arrays(text)]
    prefixes = len(_PREFIX.findall(text))
    if "," in text and 0 < prefixes < len(_C_BETWEEN.sub(" ", text).split()):
        return [Block(_c_bytes(text))]
    is_list = "," in text or prefixes > 1 or text.strip().lower().startswith("0x")
    words = _HEX_BETWEEN.sub(" ", text).split()
    wrong = next((word for word in words if not _HEX_WORD.fullmatch(word)), None)
    if wrong is not None:
        raise NotationError(f"{_cut(wrong)!r} is not hex")
    odd = next((word for word in words if len(word) % 2), None)
    if odd is not None and not (is_list and all(len(word) <= 2 for word in words)):
        raise NotationError(f"{_cut(odd)!r} has an odd number of hex digits")
    return [Block(bytes.fromhex("".join(word.zfill(2) for word in words)))]


def _is_hex(text: str) -> bool:
    """Say whether nothing but hex digits and what stands between them is in the text, or in its C arrays."""
    text = _without_comments(text)
    if _ESCAPE.search(text):
        return True
    parts = [part.partition("}")[0] for part in text.split("{")[1:]] if "{" in text else [text]
    return not any(set(part) - _HEX_MARKS or _STRAY_X.search(part) for part in parts)


class _Array(NamedTuple):
    """What stands between the braces of a C array, and who sent it where Wireshark's name for it says so."""

    inside: str
    sender: str


def _arrays(text: str) -> Iterator[_Array]:
    """Divide C source into its arrays; braces around arrays hold no bytes of their own."""
    before, *parts = text.split("{")
    for index, part in enumerate(parts, start=1):
        inside, end, after = part.partition("}")
        if inside.strip():
            if not end and index < len(parts):
                raise NotationError("bytes and braces stand side by side within braces")
            named = _PEER.search(before)
            yield _Array(inside, ("client", "server")[int(named[1])] if named else "")
        before = after


def _c_bytes(text: str) -> bytes:
    """Read the numbers of a C array."""
    words = _C_BETWEEN.sub(" ", text).split()
    if len(words) > 1 and "," not in text:
        raise NotationError("no comma stands between the numbers within braces")
    values = {word: _c_byte(word) for word in dict.fromkeys(words)}
    return bytes([values[word] for word in words])


def _c_byte(word: str) -> int:
    """Read a number as C does: with 0x it is hex, without it decimal; what C takes as octal is refused."""
    found = _C_NUMBER.fullmatch(word)
    if found is None:
        way_out = f"; if it is hex, write 0x{_cut(word)}" if _HEX_WORD.fullmatch(word) else ""
        raise NotationError(f"{_cut(word)!r} is no decimal number, as one without 0x is in C{way_out}")
    value = int(word, 16 if found[1] else 10) if len(word) <= _LONGEST_NUMBER else MAX_BYTES
    if value > 0xFF:
        raise NotationError(f"{_cut(word)!r} is more than a byte holds")
    return value


def _escapes(text: str) -> bytes:
    r"""Read `\x16\x03`, in quotes or not; a character that is no escape would be a guess."""
    between = _ESCAPE.sub("", text)
    other = between.translate(_QUOTING)
    if other:
        raise NotationError(f"{_cut(other)!r} stands between the \\x escapes")
    return bytes.fromhex("".join(_ESCAPE.findall(text)))


def _without_comments(text: str) -> str:
    """Drop the comments of C, with which Wireshark shows what a row says in ASCII.

    Two slashes are base64 too: in a text that could be that, they begin a comment only between blanks.
    """
    return (_COMMENT if set(text) - _BASE64_MARKS else _PLAIN_COMMENT).sub(" ", text)


def _cut(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}..."


_COMMENT = re.compile(r"/\*(?s:.*?)(?:\*/|\Z)|(?:^|(?<=[\s,;{}]))//[^\r\n]*", re.MULTILINE)
_PLAIN_COMMENT = re.compile(r"(?:^|(?<=[ \t]))//[ \t][^\r\n]*", re.MULTILINE)
_HEX_BETWEEN = re.compile(r"(?:(?<![0-9a-fA-F])0[xX]|[\s,:;\-\"'\\])+")
_HEX_WORD = re.compile(r"[0-9a-fA-F]+")
_PREFIX = re.compile(r"(?<![0-9a-fA-F])0[xX]")
_PEER = re.compile(r"\bpeer([01])_")  # Wireshark's names: peer0 sent first
_C_BETWEEN = re.compile(r"[\s,]+")
_C_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+)|0[0-7]?|[1-9][0-9]*")  # 00 to 07 are the same in octal and decimal
_LONGEST_NUMBER = 20
_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})")
_QUOTING = dict.fromkeys(map(ord, " \t\r\n\"'\\,;bB"))


# -- dumps with offsets ------------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    """A line with an offset: `is_after_star` says that rows like the one before were left out ahead of it."""

    number: int
    offset: int
    has_colon: bool
    rest: str
    is_after_star: bool


def _is_dump(text: str) -> bool:
    """Say whether the text is rows with offsets: one begins at 0 or has a colon, several follow one another."""
    lines = [line for line in text.splitlines()[:4] if line.strip() not in ("", "*")]
    found = [_ROW.match(line) for line in lines]
    if not found or found[0] is None:
        return False
    offset = int(found[0][1], 16)
    if found[0][2] or (len(found[0][3]) > 1 and offset == 0):
        return True
    step = int(found[1][1], 16) - offset if len(found) > 1 and found[1] else 0
    return step > 0 and step % 8 == 0


def _read_dump(text: str) -> list[Block]:
    rows = list(_rows(text))
    if not rows:
        raise NotationError("there is no row with an offset in it")
    data, start = bytearray(), rows[0].offset
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        if row.offset - start != len(data):
            raise NotationError(f"line {row.number}: the offset is {row.offset:#x}, expected {start + len(data):#x}")
        part = _row_bytes(row, None if following is None else following.offset - row.offset)
        data += part
        if following is not None and following.is_after_star and part:
            data += part * _left_out(following, start + len(data), len(part))
    return [Block(bytes(data))]


def _left_out(row: _Row, position: int, size: int) -> int:
    """Count the rows that a `*` stands for, before a row laid out is."""
    if row.offset - position > MAX_BYTES:
        raise NotationError(f"line {row.number}: the offset {row.offset:#x} is beyond any token")
    return max(row.offset - position, 0) // size


def _rows(text: str) -> Iterator[_Row]:
    is_after_star = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() in ("", "*"):
            is_after_star |= bool(line.strip())
            continue
        found = _ROW.match(line) or _LAST_ROW.match(line)
        if found is None:
            raise NotationError(f"line {number} has no offset")
        yield _Row(number, int(found[1], 16), bool(found[2]), line[found.end() :], is_after_star)
        is_after_star = False


_BARS = str.maketrans("", "", "|│")


def _row_bytes(row: _Row, size: int | None) -> bytes:
    """Read one row; its size is known from the next offset, or else shows in the text behind a gap."""
    digits, ends = _row_digits(row)
    if size is not None and size <= len(digits):
        return bytes(digits[:size])
    for count in range(len(digits), 0, -1):
        text, behind = _ascii(digits[:count]).translate(_BARS).strip(), row.rest[ends[count - 1] :]
        shown = behind.translate(_BARS).strip()  # a bar may be of the frame or of the bytes: none is looked at
        if behind.startswith("  ") and (not text or f"{shown} ".startswith(f"{text} ")):
            return bytes(digits[:count])
    if ends and row.rest[ends[-1] :].strip("|│ "):
        raise NotationError(f"line {row.number}: where its bytes end does not show")
    return bytes(digits)


def _row_digits(row: _Row) -> tuple[list[int], list[int]]:
    """Read what may be bytes of a row, each with where it ends in the row's text."""
    digits: list[int] = []
    ends: list[int] = []
    for group in _GROUP.finditer(row.rest):
        word, gap = group[0], row.rest[ends[-1] if ends else 0 : group.start()]
        if gap.strip("|│- ") or len(word) % 2 or len(digits) >= _WIDEST_ROW:
            break
        if len(word) > 2 and not row.has_colon:
            raise NotationError(
                f"line {row.number} is written in words whose byte order is not said; use hexdump -C or xxd"
            )
        digits += bytes.fromhex(word)
        ends += range(group.start() + 2, group.end() + 1, 2)
    return digits, ends


def _ascii(data: Iterable[int]) -> str:
    return "".join(chr(one) if 0x20 <= one < 0x7F else "." for one in data)


_WIDEST_ROW = 64
_ROW = re.compile(r"\s{0,8}([0-9a-fA-F]{4,16})(:?)([ \t]+)(?=[0-9a-fA-F|│])")
_LAST_ROW = re.compile(r"\s{0,8}([0-9a-fA-F]{4,16})(:?)\s*$")
_GROUP = re.compile(r"(?<![^ |│\-])[0-9a-fA-F]{2,32}(?![^ |│\-])")


# -- base64, PEM, headers ----------------------------------------------------------------------------------------------


def _read_base64(text: str) -> list[Block]:
    return [Block(_from_base64(text))]


def _from_base64(text: str) -> bytes:
    """Read base64 in either alphabet, padded or not."""
    packed = "".join(text.split())
    bare = packed.rstrip("=")
    if len(packed) - len(bare) > 2 or "=" in bare:
        raise NotationError("an = stands where base64 has none")
    if set(bare) & set("+/") and set(bare) & set("-_"):
        raise NotationError("it mixes the two alphabets of base64")
    usual = bare.translate(_URL_SAFE)
    if len(usual) % 4 == 1:
        raise NotationError(f"{len(usual)} characters are no whole number of bytes in base64")
    try:
        return binascii.a2b_base64(usual + "=" * (-len(usual) % 4), strict_mode=True)
    except ValueError as error:  # binascii.Error is one, and so is what it says of a character beyond ASCII
        raise NotationError(f"it is no base64: {error}") from None


def _read_pem(text: str) -> Iterator[Block]:
    """Read every block between its lines; what stands around them is comment."""
    for part in _PEM_BEGIN.split(text)[1:]:
        label, _, rest = part.partition("-----")
        body, end, _ = rest.partition(f"-----END {label}-----")
        if not end:
            raise NotationError(f"the PEM block {_cut(label)!r} has no end")
        if any(word in label for word in _SECRET_LABELS):
            yield Block(b"", label, note="a secret: neither decoded nor shown")
            continue
        if label.endswith("CERTIFICATE REQUEST"):
            yield Block(b"", label, note="a certificate request, which is not opened here")
            continue
        lines = [line for line in body.splitlines() if ":" not in line]
        yield Block(_from_base64("".join(lines)), label)


def _read_header(text: str) -> Iterator[Block]:
    """Read the token of every line that is an HTTP authentication header."""
    for line in text.splitlines():
        found = _HEADER.match(line)
        if found is None:
            continue
        name, scheme, value = (found["name"] or "").lower(), found["named"] or found["bare"], found["value"] or ""
        sender = "server" if name.endswith("-authenticate") else "client" if name else ""
        yield _header_block(scheme, value.strip(), sender)


def _header_block(scheme: str, value: str, sender: str) -> Block:
    if scheme.lower() == "basic" and value:
        return Block(b"", scheme, sender, f"{_user(value)}; the password is not shown")
    if scheme.lower() not in _TOKEN_SCHEMES:
        return Block(b"", scheme, sender, f"{scheme} carries no security package's token; its value is not shown")
    if not value:
        return Block(b"", scheme, sender, f"an offer of {scheme}, with no token")
    return Block(_from_base64(value), scheme, sender)


def _user(value: str) -> str:
    try:
        name, colon, _ = _from_base64(value).partition(b":")
    except NotationError:
        return "user and password, not as they should be"
    return f"user {name.decode('utf-8', 'backslashreplace')}" if colon else "user and password, not as they should be"


_PEM_BEGIN = re.compile(r"^[ \t]*-----BEGIN ", re.MULTILINE)  # within a line it may be the text beside a dump
_SECRET_LABELS = ("PRIVATE KEY", "SESSION")
_URL_SAFE = str.maketrans("-_", "+/")
_TOKEN_SCHEMES = frozenset({"negotiate", "ntlm", "kerberos", "tls"})
_SCHEMES = "negotiate|ntlm|kerberos|basic|bearer|digest"
_HEADER = re.compile(
    r"[<>*\s]{0,4}(?:(?P<name>(?:proxy-)?authorization|(?:www|proxy)-authenticate)\s{0,4}:\s{0,4}(?P<named>[a-z0-9_-]{1,32})"
    rf"|(?P<bare>{_SCHEMES})(?=[ \t]+\S))(?:[ \t]+(?P<value>.*))?$",
    re.IGNORECASE,
)
_READERS = {
    Notation.HEX: _read_hex,
    Notation.DUMP: _read_dump,
    Notation.BASE64: _read_base64,
    Notation.PEM: _read_pem,
    Notation.HEADER: _read_header,
}
