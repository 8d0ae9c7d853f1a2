"""The security packages by name: a factory each, and the engine imported only when one is asked for.

The rule guarded here: a package that is not built yet is known by name and never offered. Naming one is answered with
what is there instead; a name nobody knows is answered with the nearest that exists.

Source: names as SSPI has them (documented); the long name of Schannel is UNISP_NAME in schannel.h (header).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sspicli.sspi.errors import UnavailableError, UsageError
from sspicli.sspi.package import SecurityPackage


class PackageEntry(NamedTuple):
    """One security package: its documented name, other names for it, and how to make it, None while it is not built."""

    name: str
    aliases: tuple[str, ...]
    summary: str
    create: Callable[[], SecurityPackage] | None


def _schannel() -> SecurityPackage:
    try:
        from sspicli.packages.schannel import SchannelPackage
    except ImportError as error:
        if (error.name or "").startswith("sspicli"):
            raise  # a bug of ours, not an engine that is missing
        raise UnavailableError(
            f"the engine of Schannel cannot be imported: {error}", help="pip install 'pyOpenSSL>=26.4'"
        ) from error
    return SchannelPackage()


PACKAGES: tuple[PackageEntry, ...] = (
    PackageEntry(
        "Schannel",
        ("tls", "Microsoft Unified Security Protocol Provider", "Default TLS SSP"),
        "TLS 1.2 and 1.3, the one package that the asynchronous functions are documented for",
        _schannel,
    ),
    PackageEntry("NTLM", (), "NTLM", None),
    PackageEntry("Negotiate", ("SPNEGO",), "SPNEGO, choosing Kerberos or NTLM", None),
    PackageEntry("Kerberos", (), "Kerberos 5", None),
)


def available_packages() -> tuple[PackageEntry, ...]:
    """List the packages that can be made, without importing an engine."""
    return tuple(entry for entry in PACKAGES if entry.create is not None)


def find_package(name: str) -> PackageEntry | None:
    """Find a package by its name or an alias, in any case; None when nobody knows the name."""
    wanted = name.strip().lower()
    for entry in PACKAGES:
        if wanted == entry.name.lower() or wanted in map(str.lower, entry.aliases):
            return entry
    return None


def names_of(package: SecurityPackage) -> frozenset[str]:
    """Give the names, in lower case, that an acquire may have for a package; `tls` is no name of Windows."""
    entry = find_package(package.name)
    return frozenset(map(str.lower, (package.name, *(entry.aliases if entry else ())))) - {"tls"}


def create_package(name: str) -> SecurityPackage:
    """Make a package, importing its engine.

    Raises:
        UsageError: Nobody knows the name.
        UnavailableError: The package is not built yet, or its engine is not here.
    """
    entry = find_package(name)
    offered = ", ".join(one.name for one in available_packages())
    if entry is None:
        from difflib import get_close_matches  # only ever needed for an error

        known = {alias.lower(): one.name for one in available_packages() for alias in (one.name, *one.aliases)}
        near = get_close_matches(name.strip().lower(), known, n=1)
        hint = f"did you mean {known[near[0]]}?" if near else f"packages: {offered}"
        raise UsageError(f"{name!r} is no security package", help=hint)
    if entry.create is None:
        raise UnavailableError(f"the security package {entry.name} is not built yet", help=f"packages: {offered}")
    return entry.create()
