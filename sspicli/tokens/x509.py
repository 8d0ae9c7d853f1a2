"""Certificates down to their fields."""

from __future__ import annotations

from typing import NamedTuple

from sspicli.tokens.grammar import Source
from sspicli.tokens.tree import Node


class DerCertificate(NamedTuple):
    """A certificate that takes all bytes."""

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read it."""
        return Node(name, (start, end), source.data[start:end])


class DerName(NamedTuple):
    """A distinguished name that takes all bytes."""

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read it."""
        return Node(name, (start, end), source.data[start:end])


class DerOid(NamedTuple):
    """An object identifier that takes all bytes."""

    def read(self, source: Source, name: str, start: int, end: int) -> Node:
        """Read it."""
        return Node(name, (start, end), source.data[start:end])


def certificate_tree(der: bytes, start: int = 0) -> Node:
    """Read a certificate's fields; the spans are shifted by `start`."""
    return Node("Certificate", (start, start + len(der)), der)
