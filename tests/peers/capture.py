"""A journal's tokens as a classic pcap file: Ethernet, IPv4 and TCP around the bytes each side sent.

Source: the libpcap file format (24-byte header, 16-byte record headers), RFC 791, RFC 9293.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SERVER_PORT = 443
SEGMENT = 1400
FIN, SYN, PUSH, ACK = 0x01, 0x02, 0x08, 0x10
_ADDRESSES = {"client": bytes([127, 0, 0, 1]), "server": bytes([127, 0, 0, 2])}
_PEER = {"client": "server", "server": "client"}


class Sent(NamedTuple):
    """One token: who sent it, and its bytes."""

    sender: str
    data: bytes


def write_capture(path: Path, connections: Iterable[tuple[int, Iterable[Sent]]]) -> None:
    """Write connections, each with its client's port, one after another."""
    frames: list[bytes] = []
    for port, sent in connections:
        connection = _Connection(port, frames)
        connection.open()
        for sender, data in sent:
            connection.carry(sender, data)
        connection.close()
    records = [
        struct.pack("<IIII", 1_790_000_000, number, len(frame), len(frame)) + frame
        for number, frame in enumerate(frames)
    ]
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1) + b"".join(records))


@dataclass
class _Connection:
    """One TCP connection: what each side has sent so far."""

    client_port: int
    frames: list[bytes]
    next_sequence: dict[str, int] = field(default_factory=lambda: {"client": 1000, "server": 5000})

    def open(self) -> None:
        self._segment("client", SYN)
        self._segment("server", SYN | ACK)
        self._segment("client", ACK)

    def carry(self, sender: str, data: bytes) -> None:
        for start in range(0, len(data), SEGMENT):
            self._segment(sender, PUSH | ACK, data[start : start + SEGMENT])
        self._segment(_PEER[sender], ACK)

    def close(self) -> None:
        self._segment("client", FIN | ACK)
        self._segment("server", FIN | ACK)
        self._segment("client", ACK)

    def _segment(self, sender: str, flags: int, data: bytes = b"") -> None:
        ports = (self.client_port, SERVER_PORT) if sender == "client" else (SERVER_PORT, self.client_port)
        own, acknowledged = self.next_sequence[sender], self.next_sequence[_PEER[sender]] if flags & ACK else 0
        self.next_sequence[sender] = own + len(data) + bool(flags & (SYN | FIN))
        addresses = _ADDRESSES[sender] + _ADDRESSES[_PEER[sender]]
        tcp = struct.pack("!HHIIBBHHH", *ports, own, acknowledged, 5 << 4, flags, 0xFFFF, 0, 0) + data
        tcp = _with_checksum(tcp, 16, addresses + struct.pack("!HH", 6, len(tcp)))
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), len(self.frames), 0x4000, 64, 6, 0) + addresses
        self.frames.append(bytes(12) + b"\x08\x00" + _with_checksum(ip, 10, b"") + tcp)


def _with_checksum(packet: bytes, place: int, pseudo_header: bytes) -> bytes:
    """Put the Internet checksum (RFC 1071) where it belongs."""
    summed = pseudo_header + packet + bytes(len(packet) % 2)
    total = sum(struct.unpack(f"!{len(summed) // 2}H", summed))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return packet[:place] + struct.pack("!H", ~total & 0xFFFF) + packet[place + 2 :]
