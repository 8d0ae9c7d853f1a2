"""Values as a scenario writes them, and when one that was got is the one that was expected.

The rule guarded here: what is shown as got could be written as expected; bytes are compared in hex, numbers as numbers.
"""

from __future__ import annotations

from sspicli.sspi.alerts import alert_name
from sspicli.sspi.package import AlertSeen
from sspicli.sspi.status import SecurityStatus

NOTHING = "nothing"
"""What is said to have been got where nothing was."""


def said(value: object) -> str:
    """Write a value as a scenario has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, SecurityStatus):
        return value.name
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return "[" + ", ".join(map(said, value)) + "]"
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else str(value)


def spelled(value: object) -> str:
    """Write a field's value as `decode` does: bytes in hex."""
    return value.hex() if isinstance(value, bytes) else said(value)


def same(wanted: object, got: object) -> bool:
    """Compare a scalar of a file with a value: bytes as hex, numbers as numbers, all else as text."""
    if isinstance(wanted, list):
        return isinstance(got, list | tuple) and len(wanted) == len(got) and all(map(same, wanted, got))
    if isinstance(got, bytes):
        return str(getattr(wanted, "text", wanted)).replace(" ", "").replace(":", "").lower() == got.hex()
    if isinstance(wanted, bool) or isinstance(got, bool) or wanted is None or got is None:
        return wanted is got
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        return wanted == got
    return said(wanted) == said(got) or getattr(wanted, "text", None) == got


def alert_word(alert: AlertSeen | None) -> str:
    """Name an alert; `none` where there was none."""
    return "none" if alert is None else alert_name(alert.number)
