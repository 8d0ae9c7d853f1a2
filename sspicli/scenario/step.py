"""What a step of a program is: its verb, and what every step may have besides."""

from __future__ import annotations

from functools import cache

from pydantic.fields import FieldInfo

from sspicli.scenario.words import Flag, Part, Text


class Step(Part):
    """What every step may have besides its verb."""

    title: Text | None = None
    """A word on what this step is for; it stands in reports."""
    yields: Flag = False
    """Before this step, let all else that may happen go first, timers too; a schedule may choose otherwise."""
    deliberate: Flag = False
    """What would be a slip is meant: a name that nothing makes, no connection, or a call that is not there."""

    @property
    def verb(self) -> str:
        """The step's verb, as it is written."""
        return verb_of(type(self))


@cache
def verb_field(step: type[Step]) -> tuple[str, FieldInfo]:
    """Give a step's verb: its member's name and declaration."""
    name = next(name for name in step.__annotations__)
    return name, step.model_fields[name]


def verb_of(step: type[Step]) -> str:
    """Write a step's verb."""
    return verb_field(step)[0].rstrip("_").replace("_", "-")
