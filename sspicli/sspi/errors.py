"""The root of every expected failure: a sentence, a way out, and an exit code.

A handshake that fails is not one of these: it is a value. These are for command lines, files and missing engines.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process ends with; printed in every help text and man page."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INPUT = 3
    UNAVAILABLE = 4
    NOTHING_TO_RUN = 5
    STUCK = 6
    BUG = 70
    WRITE = 74
    INTERRUPTED = 130
    CLOSED = 141
    TERMINATED = 143


class SspiCliError(Exception):
    """An expected failure: `message` says what, `help` how to put it right, `where` names the file or option."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, *, help: str = "", where: str = "", cause: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.where = where
        self.cause = cause


class UsageError(SspiCliError):
    """A wrong command line."""

    exit_code = ExitCode.USAGE


class InputError(SspiCliError):
    """A file that cannot be read or is not what it should be."""

    exit_code = ExitCode.INPUT


class UnavailableError(SspiCliError):
    """A package, engine or binding that is not here."""

    exit_code = ExitCode.UNAVAILABLE


class LimitError(SspiCliError):
    """Memory, threads or descriptors that the system does not give."""

    exit_code = ExitCode.STUCK


class NothingToRunError(SspiCliError):
    """Nothing that was named or selected can be run."""

    exit_code = ExitCode.NOTHING_TO_RUN


class WriteError(SspiCliError):
    """Something that was to be written and could not be."""

    exit_code = ExitCode.WRITE
