"""Whether a recording can be believed: a file from outside may contradict itself, though every checksum is right.

The rule guarded here: nothing is folded, shown or made again from records that no run of ours can have written.
"""

from __future__ import annotations

from collections.abc import Sequence

from sspicli.analysis.coherence import IncoherentError, check_values
from sspicli.analysis.rules import judge
from sspicli.journal.journal import Record
from sspicli.sspi.errors import InputError


def check_recording(records: Sequence[Record], name: str) -> None:
    """Refuse records that contradict each other or the law, with their place in the file of that name."""
    try:
        check_values(records)
        judge(records)
    except IncoherentError as error:
        raise InputError(
            f"the recording contradicts itself at record {error.record}: {error.reason}",
            where=f"{name}:{error.record + 1}",
            help="its checksums are right, so it was edited, or written by another version; record the run again",
        ) from None
