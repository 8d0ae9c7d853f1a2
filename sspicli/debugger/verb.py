"""What a verb is: its words, what it takes, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Argument(NamedTuple):
    """One argument: its name, of what kind it is (for completion), whether it may be left out, and what it means."""

    name: str
    kind: str
    is_optional: bool
    sentence: str


def argument(name: str, kind: str, sentence: str, *, optional: bool = False) -> Argument:
    """Declare an argument."""
    return Argument(name, kind, optional, sentence)


@dataclass(frozen=True)
class Verb:
    """One verb; `is_repeatable` says that an empty line does it again."""

    name: str
    aliases: tuple[str, ...]
    group: str
    arguments: tuple[Argument, ...]
    sentence: str
    details: str = ""
    is_repeatable: bool = False
    example: str = ""

    @property
    def synopsis(self) -> str:
        """How it is written."""
        words = [
            f"[{one.name}]" if one.is_optional and not one.name.startswith("[") else one.name for one in self.arguments
        ]
        return " ".join([self.name, *words])
