"""Which cases failed last, for `--last-failed`: a small file in the state directory for each folder worked in.

The rule guarded here: this is a convenience, and never in the way. A file that cannot be read is an empty one; one that
cannot be written is passed over. It holds ids, nothing of what a case has seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from sspicli.analysis.cases import CaseResult
from sspicli.files.replace import replace_file
from sspicli.sspi.errors import WriteError

SCHEMA = "sspi-async/last-failed/1"
_LARGEST = 16 << 20  # bytes
_MOST = 100_000  # ids


def last_failed(folder: Path) -> frozenset[str]:
    """Read the ids of the cases that failed when they were last run in this folder."""
    try:
        path = _file(folder)
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return frozenset()
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return frozenset()
    failed = document.get("failed") if isinstance(document, dict) and document.get("schema") == SCHEMA else None
    return frozenset(one for one in failed if isinstance(one, str)) if isinstance(failed, list) else frozenset()


def remember(folder: Path, results: Iterable[CaseResult]) -> None:
    """Note which of these failed; what is known of cases that were not run stays."""
    before = last_failed(folder)
    failed = set(before)
    for result in results:
        (failed.add if result.is_bad else failed.discard)(result.id)
    if failed == before:
        return
    document = {"schema": SCHEMA, "folder": str(folder), "failed": sorted(failed)[:_MOST]}
    with suppress(OSError, WriteError, UnicodeError):
        path = _file(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps(document, indent=2) + "\n")


def _file(folder: Path) -> Path:
    from platformdirs import user_state_path

    name = sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return user_state_path("sspi-async", appauthor=False) / "last-failed" / f"{name}.json"
