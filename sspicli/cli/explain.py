"""`sspi-async explain [CODE...]`: what a status, an NTSTATUS, an alert or a rule code means, by name, number or words.

The rule guarded here: nothing is swallowed. Each code is a query of its own, words that are not codes make one query
together, and a query that names nothing ends with exit code 2 and the nearest names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from sspicli.cli.recordings import RECORDING
from sspicli.cli.screen_options import Screen, screen_options
from sspicli.sspi.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from sspicli.analysis.explain import Explanation, RuleText
    from sspicli.cli.console import Console

SCHEMA = "sspi-async/explain/1"

_NEGATIVE = re.compile(r"-\d+", re.ASCII)
_CODE = re.compile(r"-?\d\w*|[0-9a-f]{8}|\w*_\w*|[a-z]\d{3,4}", re.ASCII | re.IGNORECASE)

_FUNCTION_NAME = 8  # letters from which on a word that begins a function's name is taken for one

_USAGE = """\
Usage: sspi-async explain CODE...

A CODE is one of
  a status by its name           SEC_E_CERT_EXPIRED, or CERT_EXPIRED
  an NTSTATUS by its name        STATUS_INVALID_HANDLE
  either by its value            0x80090328, 80090328, -2146893016, 2148074280
  a TLS alert                    45, certificate_expired, "alert 45"
  a misuse rule                  A004
  an error code of this program  E0201
  words                          certificate expired
  a line of a log with one of these in it
"""


class Answer(NamedTuple):
    """A query and what it names; without explanations, `suggestions` holds near names."""

    query: str
    explanations: tuple[Explanation, ...]
    suggestions: tuple[str, ...]

    @property
    def is_search(self) -> bool:
        """Say whether words were searched for: then several finds are a choice, and not all of them the answer."""
        return not _CODE.fullmatch(self.query) and len(self.explanations) > 1


def _complete_code(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from sspicli.sspi.alerts import ALERTS
    from sspicli.sspi.status import NtStatus, SecurityStatus

    names = (*SecurityStatus.__members__, *NtStatus.__members__, *(alert.name for alert in ALERTS.values()))
    return [CompletionItem(name) for name in names if name.lower().startswith(incomplete.lower())]


@click.command(
    "explain",
    context_settings={"ignore_unknown_options": True},
    short_help="Say what a status or an alert or a rule code means.",
)
@click.argument("codes", nargs=-1, metavar="[CODE...]", type=click.UNPROCESSED, shell_complete=_complete_code)
@click.option(
    "--in",
    "recording",
    type=RECORDING,
    metavar="RECORDING",
    help="Ask this recording: which alert it was, who sent it, and why. Without a code: what the run failed with.",
)
@click.option(
    "--keylog",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --in: open what is encrypted with the secrets of this key log.",
)
@screen_options
@click.pass_context
def command(
    ctx: click.Context, /, codes: tuple[str, ...], recording: Path | None, keylog: Path | None, **shared: object
) -> int:
    """Say what a code means: a status, an NTSTATUS, a TLS alert or a misuse rule.

    A CODE is a name in any case, a value in hex or in signed or unsigned decimal, "alert 45", a rule code such as
    A004, an error code such as E0201, or a line of a log that holds one of these. Several words that are no codes are
    one search.

    A status can stand for several alerts. With --in the recording is the witness: it names the one alert it was, who
    sent it, the field that decided and both ends' offers. A code that is not in the recording ends with 1.

    \b
    Examples:
      sspi-async explain SEC_E_CERT_EXPIRED
      sspi-async explain 0x80090326 -2146893018
      sspi-async explain alert 48
      sspi-async explain A004 B001
      sspi-async explain certificate name does not match
      sspi-async explain -f json SEC_E_ILLEGAL_MESSAGE
      sspi-async explain --in run.sspirec
      sspi-async explain SEC_E_CERT_EXPIRED --in run.sspirec
      sspi-async explain SEC_E_ILLEGAL_MESSAGE --in run.sspirec   # exit 1
      sspi-async explain SEC_E_CERT_EXPIRD   # exit 2
    """  # noqa: D301 (click reads the \b)
    screen = Screen(**shared)  # type: ignore[arg-type]
    _refuse_unknown_options(ctx, codes)
    if recording is not None:
        from sspicli.cli.witness import explain_in

        asked = [_answer(query) for query in queries(codes)] if any(code.strip() for code in codes) else []
        _refuse_unknown_codes(asked)
        return explain_in(recording, keylog, asked, screen)
    if keylog is not None:
        raise UsageError("it opens a recording", where="--keylog", help="add --in RECORDING")
    if not any(code.strip() for code in codes):
        if screen.format == "json":
            raise UsageError("there is nothing to explain", help="write sspi-async explain -f json CODE...")
        click.echo(_USAGE, nl=False)
        return ExitCode.OK
    answers = [_answer(query) for query in queries(codes)]
    if screen.format == "json":
        screen.write_document(_document(answers))
    else:
        _show(answers, screen.console())
    _refuse_unknown_codes(answers)
    if screen.format == "text" and (card := _card_of(answers)):
        click.echo(f"note: {card}", err=True)
    return ExitCode.OK


def queries(codes: tuple[str, ...]) -> list[str]:
    """Divide the arguments: codes are a query each, anything else is one query together."""
    words = [code.strip() for code in codes if code.strip()]
    return words if all(_CODE.fullmatch(word) for word in words) else [" ".join(words)]


def _refuse_unknown_options(ctx: click.Context, codes: tuple[str, ...]) -> None:
    """Refuse what click let pass because a negative number looks like an option."""
    for code in codes:
        if len(code) > 1 and code.startswith("-") and not _NEGATIVE.fullmatch(code):
            options = [opt for one in ctx.command.get_params(ctx) for opt in one.opts if opt.startswith("-")]
            raise click.NoSuchOption(code, possibilities=options, ctx=ctx)


def _answer(query: str) -> Answer:
    from sspicli.analysis.explain import explain, suggestions

    rules = _rules()
    found = explain(query, rules)
    return Answer(query, tuple(found), () if found else tuple(suggestions(query, rules)))


def _rules() -> dict[str, RuleText]:
    from sspicli.analysis.explain import rule_texts

    return rule_texts()


def _document(answers: list[Answer]) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "answers": [
            {
                "query": answer.query,
                "explanations": [one.as_dict() for one in answer.explanations],
                "suggestions": list(answer.suggestions),
            }
            for answer in answers
        ],
    }


def _show(answers: list[Answer], console: Console) -> None:
    """Print explanations in full, the finds of a search in one line each."""
    from sspicli.views.explain import lines, listing
    from sspicli.views.text import Segment, line

    blocks = []
    for answer in answers:
        if answer.is_search:
            blocks.append([*listing(list(answer.explanations), console.width), "", "sspi-async explain NAME says more"])
        else:
            blocks += [lines(one, console.width) for one in answer.explanations]
    for number, block in enumerate(blocks):
        shown = [line(Segment(text, "" if row else "head")) for row, text in enumerate(block)]
        console.show([(), *shown] if number else shown)


def _refuse_unknown_codes(answers: list[Answer]) -> None:
    unknown = [answer for answer in answers if not answer.explanations]
    if not unknown:
        return
    names = ", ".join(f'"{answer.query}"' for answer in unknown)
    meant = [name for answer in unknown for name in answer.suggestions]
    way_out = (
        f"did you mean {' or '.join(meant)}?" if meant else "sspi-async explain, without a code, lists what it takes"
    )
    raise UsageError(f"no status, alert or rule is known as {names}", help=_card_of(unknown) or way_out)


def _card_of(answers: list[Answer]) -> str:
    """Name the reference card when a function was asked for, spelt right or nearly so."""
    from sspicli.analysis.api_card import find, near

    for answer in answers:
        found = find(answer.query) if len(answer.query) >= _FUNCTION_NAME else []
        for function in found[:1] if len(found) == 1 else near(answer.query):
            return f"that is a function: sspi-async api {function.documented_name}"
    return ""
