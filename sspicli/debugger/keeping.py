"""Verbs that keep things, and those about the debugger itself: recordings, history, aliases, settings, help."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sspicli.debugger.bench import PANES, Bench
from sspicli.debugger.hand import BY_HAND, usage
from sspicli.debugger.history import history_lines
from sspicli.debugger.moving import nothing, number
from sspicli.debugger.reply import Do, Reply, lines_of, noted, said
from sspicli.debugger.saving import save
from sspicli.debugger.verbs import GROUPS, VERBS, Verb, find
from sspicli.files.regular import read_regular_file
from sspicli.reports.document import lines_text
from sspicli.scenario.words import near
from sspicli.sspi.errors import InputError, UsageError, WriteError
from sspicli.views.text import Line, Segment, line, visible, wrapped

_LARGEST = 1 << 20
SETTINGS = {
    "panes": f"what is shown at a stop, of {', '.join(PANES)}",
    "verbosity": "0, 1 with more fields, 2 with bytes",
    "limit": "transitions after which a run stops",
}


def new_path(text: str, verb: str) -> Path:
    """Read the name of a file that is not there yet."""
    word = text.strip().strip("\"'")
    if not word:
        raise UsageError(f"{verb} to which file?", help=f"{verb} FILE")
    path = Path(word).expanduser()
    if path.exists():
        raise WriteError(f"{word[:200]} is there already", help="name another file; nothing is written over")
    return path


def record(bench: Bench, text: str) -> Reply:
    """Write the journal to a file from now on, with what it holds already."""
    if text.strip() == "off":
        if bench.kept is None:
            raise UsageError("nothing is being recorded", help="record FILE")
        path = bench.kept.path
        bench.kept.close()
        bench.kept = None
        return said(f"{path} is closed")
    if bench.kept is not None:
        raise UsageError(f"{bench.kept.path} is being written already", help="record off ends it")
    path = new_path(text, "record")
    bench.keep(path)
    return said(f"recording to {path}")


def write_new(path: Path, text: str) -> None:
    """Write a file that was not there."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise WriteError(f"{path} is there already", help="name another file") from None
    except (OSError, ValueError) as error:
        raise WriteError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from None


def save_scenario(bench: Bench, text: str) -> Reply:
    """Keep what was done as a scenario."""
    path = new_path(text, "save")
    if not path.name.endswith(".sspi.yaml"):
        raise UsageError(f"{path.name} is no name of a scenario", help=f"{path.name.partition('.')[0]}.sspi.yaml")
    written = save(bench, path.parent)
    write_new(path, written.text)
    verdict = ", ".join([written.verdict, *(f"finding {code}" for code in written.findings)])
    first = said(f"{path}: {verdict}, {written.steps} steps by hand, {written.faults} faults, {written.schedule}")
    return first._replace(lines=(*first.lines, *map(noted, written.notes)))


def export(bench: Bench, text: str) -> Reply:
    """Write the records so far as JSON Lines."""
    path = new_path(text, "export")
    write_new(path, "".join(lines_text(bench.view.records, include_secrets=False, timing=bench.look.timing)))
    return said(f"{path}: {len(bench.view.records)} records, without secrets")


def commands_of(text: str) -> list[str]:
    """Read the commands of a file."""
    word = text.strip().strip("\"'")
    if not word:
        raise UsageError("source which file?", help="source FILE")
    try:
        data = read_regular_file(
            Path(word).expanduser(), largest=_LARGEST, too_large="a file of commands has at most 1 MiB"
        )
        return data.decode().splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{word} is no text", where=word) from None


def source(bench: Bench, text: str) -> Reply:
    """Stand for `source`, which the debugger itself does."""
    raise AssertionError("source does commands, so the debugger does it")


def history(bench: Bench, text: str) -> Reply:
    """List the commands so far, and what was typed in earlier sessions."""
    count = number(text, 1, what="count") if text.strip() else None
    return lines_of(history_lines(bench.earlier, bench.history, count))


def alias(bench: Bench, text: str) -> Reply:
    """Give a command a shorter name."""
    name, _, command = text.strip().partition(" ")
    if not name:
        return lines_of([line(f"  {visible(key)} = {visible(one)}") for key, one in bench.aliases.items()])
    if not command.strip():
        raise UsageError(f"{name[:40]} stands for what?", help=f"alias {name[:40]} step 2")
    if not name.isidentifier():
        raise UsageError(f"{name[:40]!r} is no name", help="letters, digits and _")
    if any(name in (verb.name, *verb.aliases) for verb in VERBS):
        raise UsageError(f"{name} is a verb already", help="choose another word")
    find(command.split()[0])
    bench.aliases[name] = command.strip()
    return said(f"{name} = {command.strip()}")


def set_(bench: Bench, text: str) -> Reply:
    """Change a setting."""
    name, _, value = text.strip().partition(" ")
    if not name or not value.strip():
        return show(bench, name)
    _known(name)
    if name == "panes":
        chosen = tuple(word for word in value.replace(",", " ").split() if word != "none")
        for word in chosen:
            if word not in PANES:
                raise UsageError(f"{word[:40]!r} is no pane", help=near(word, PANES) or ", ".join(PANES))
        bench.settings.panes = chosen
    elif name == "verbosity":
        level = number(value, 0, what="verbosity", least=0)
        if level > 2:
            raise UsageError(f"{level} is no verbosity", help="0, 1 or 2")
        bench.settings.verbosity = level
    else:
        bench.settings.limit = number(value, 0, what="limit")
    return show(bench, name)


def _known(name: str) -> None:
    if name not in SETTINGS:
        raise UsageError(f"there is no setting {name[:40]!r}", help=near(name, SETTINGS) or ", ".join(SETTINGS))


def show(bench: Bench, text: str) -> Reply:
    """Show settings."""
    name = text.strip()
    if name:
        _known(name)
    values = {
        "panes": ",".join(bench.settings.panes) or "none",
        "verbosity": bench.settings.verbosity,
        "limit": bench.settings.limit,
    }
    shown = [one for one in SETTINGS if name in ("", one)]
    return lines_of([line(f"  {one:<10} {values[one]}  ", Segment(SETTINGS[one], "muted")) for one in shown])


# -- help --------------------------------------------------------------------------------------------------------------
def help_(bench: Bench, text: str) -> Reply:
    """Say what there is, or what a verb does."""
    word = text.strip()
    if word:
        return lines_of(help_lines(find(word.split()[0]), bench.look.width))
    lines: list[Line] = []
    for group in GROUPS:
        names = [_named(verb) for verb in VERBS if verb.group == group]
        first, *more = wrapped(names, bench.look.width - 11)
        lines.append(line(Segment(f"{group:<10} ", "head"), first))
        lines += [line(" " * 11, part) for part in more]
    return lines_of([*lines, noted("help VERB says more, apropos WORD looks for a word; an empty line repeats")])


def _named(verb: Verb) -> str:
    return f"{verb.name}({verb.aliases[0]})" if verb.aliases and len(verb.aliases[0]) < 4 else verb.name


def help_lines(verb: Verb, width: int) -> list[Line]:
    """Lay out what a verb does."""
    synopsis = usage(verb.name) if verb.name in BY_HAND else verb.synopsis
    lines = [line(Segment(part, "head")) for part in wrapped(synopsis.split(), width)]
    lines += [line("  ", part) for part in wrapped(f"{verb.sentence} {verb.details}".split(), width - 2)]
    for one in verb.arguments:
        if one.sentence and verb.name not in BY_HAND:
            lines += [line("    ", part) for part in wrapped(f"{one.name}: {one.sentence}".split(), width - 4)]
    if verb.aliases:
        lines.append(noted(f"  also: {', '.join(verb.aliases)}"))
    if verb.is_repeatable:
        lines.append(noted("  an empty line does it again"))
    return [*lines, line(Segment(f"  example: {verb.example}", "muted"))]


def apropos(bench: Bench, text: str) -> Reply:
    """List the verbs whose help has a word."""
    words = text.lower().split()
    if not words:
        raise UsageError("apropos what?", help="apropos callback")
    found = [verb for verb in VERBS if all(word in _text(verb) for word in words)]
    if not found:
        raise UsageError(f"no verb's help has {text.strip()[:60]!r}", help="help lists them all")
    return lines_of([line(Segment(f"  {verb.name:<20}", "head"), verb.sentence) for verb in found])


def _text(verb: Verb) -> str:
    parts: Iterable[str] = (
        verb.name,
        *verb.aliases,
        verb.sentence,
        verb.details,
        *(one.sentence for one in verb.arguments),
    )
    return " ".join(parts).lower()


def quit_(bench: Bench, text: str) -> Reply:
    """Leave."""
    nothing(text, "quit")
    return Reply(is_over=True)


DO: dict[str, Do] = {
    "record": record,
    "save": save_scenario,
    "export": export,
    "source": source,
    "history": history,
    "alias": alias,
    "set": set_,
    "show": show,
    "help": help_,
    "apropos": apropos,
    "quit": quit_,
}
