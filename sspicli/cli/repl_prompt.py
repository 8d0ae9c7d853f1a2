"""The prompt on a terminal that can edit lines: completion, history, search, toolbar, vi and emacs keys.

The rule guarded here: this file decides nothing about the session. It asks the debugger for words, and gives lines to
the shell. It is imported only where somebody sits at a terminal, because prompt-toolkit takes longer to import than a
handshake takes to run. The prompt is drawn on standard error: standard output carries answers only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.history import History
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.styles import Style

from sspicli.cli.repl_history import HistoryFile
from sspicli.debugger.completing import Candidate
from sspicli.views.text import visible

Complete = Callable[[str, int], Sequence[Candidate]]
"""Says what may stand at the cursor of a line."""

_MENU_ROWS = 6
_LONGEST_MEANING = 200  # the menu cuts what its screen has no room for
_STYLE = Style.from_dict({"bottom-toolbar": "reverse", "prompt": "bold"})


class Texts(NamedTuple):
    """What stands around the line, asked for anew at every prompt."""

    prompt: Callable[[], str]
    toolbar: Callable[[], str]


class Keys(NamedTuple):
    """How lines are edited: vi's keys or emacs', and whether colour is wanted."""

    is_vi: bool
    has_color: bool


class Prompt:
    """Reads lines from a terminal."""

    def __init__(
        self,
        texts: Texts,
        complete: Complete,
        history: HistoryFile,
        keys: Keys,
        *,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._session: PromptSession[str] = PromptSession(
            message=lambda: [("class:prompt", texts.prompt())],
            bottom_toolbar=texts.toolbar,
            completer=_Completer(complete),
            complete_while_typing=True,
            reserve_space_for_menu=_MENU_ROWS,
            history=_History(history),
            auto_suggest=AutoSuggestFromHistory(),
            editing_mode=EditingMode.VI if keys.is_vi else EditingMode.EMACS,
            key_bindings=_bindings(),
            enable_suspend=True,
            style=_STYLE,
            color_depth=None if keys.has_color else ColorDepth.DEPTH_1_BIT,
            input=input,
            output=output,
        )

    def read(self) -> str:
        """Wait for a line; KeyboardInterrupt when it was cancelled, EOFError at the end."""
        return self._session.prompt()


class _Completer(Completer):
    """What the debugger offers, each with its meaning."""

    def __init__(self, complete: Complete) -> None:
        self._complete = complete

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Offer what may stand at the cursor."""
        cursor = document.cursor_position
        for one in self._complete(document.text, cursor):
            if one.text.isprintable():
                meaning = visible(one.meaning, _LONGEST_MEANING)
                yield Completion(one.text, start_position=one.start - cursor, display_meta=meaning)


class _History(History):
    """The history file, as prompt-toolkit reads one."""

    def __init__(self, file: HistoryFile) -> None:
        super().__init__()
        self._file = file

    def load_history_strings(self) -> Iterable[str]:
        """Give the lines, newest first."""
        return reversed(self._file.load())

    def store_string(self, string: str) -> None:
        """Do nothing: the shell keeps lines, however they were read."""


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("f1")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.text = "help"
        event.current_buffer.validate_and_handle()

    return bindings
