"""What a shell offers for `--fault`: first whom it befalls, then what it does."""

from __future__ import annotations

from sspicli.session.faults import FUNCTIONS, FaultKind
from sspicli.session.wire_faults import WireFaultKind


def complete_fault(incomplete: str) -> list[str]:
    """Complete a fault: what it befalls up to `=`, then its kind."""
    subject, equals, _ = incomplete.partition("=")
    if not equals:
        calls = [f"{side}.{function}=" for side in ("client", "server") for function in FUNCTIONS]
        offered = [*calls, *(f"leg{number}=" for number in range(1, 5))]
    elif "leg" in subject:
        offered = [f"{subject}={kind}" for kind in WireFaultKind]
    else:
        is_create = subject.partition("#")[0].endswith(".create")
        offered = [f"{subject}={kind}" for kind in FaultKind if (kind is FaultKind.NULL) == is_create]
    return [one for one in offered if one.startswith(incomplete)]
