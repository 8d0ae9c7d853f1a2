"""From a file to cases: read, put variables in, choose from the matrix, check, and say all that is wrong at once.

The rule guarded here: what `load` returns can be run. Nothing is run and no engine is imported to find out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from sspicli.analysis.cases import Place, Problem
from sspicli.scenario import variables as vs
from sspicli.scenario import yaml
from sspicli.scenario.checks import Wrong, check, check_settings
from sspicli.scenario.model import Scenario
from sspicli.scenario.paths import Files
from sspicli.scenario.problems import Loc, data_of, problems, span_at
from sspicli.scenario.words import Part, near

SUFFIX = ".sspi.yaml"
MOST_CASES = 1_000
SIDES = ("client", "server")


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario with one choice of its matrix: what is run, and where each of its values stands.

    `file` is as the user named it; `number` counts the documents of the file from 1. `root` is the document with its
    variables put in; a value that came from a variable stands where it was used.
    """

    source: yaml.Source
    number: int
    scenario: Scenario
    root: yaml.Node
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def file(self) -> str:
        """The file, as the user named it."""
        return self.source.file

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.scenario.name

    @property
    def label(self) -> str:
        """The parameters' values, such as `pending-lifo`."""
        return "-".join(value for _, value in self.parameters)

    @property
    def id(self) -> str:
        """The stable id, `file::scenario[parameters]`."""
        return f"{self.file}::{self.name}" + (f"[{self.label}]" if self.parameters else "")

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to choose it by."""
        return tuple(self.scenario.tags)

    @property
    def place(self) -> Place:
        """Where the scenario's name stands."""
        return self.place_of(("name",))

    def place_of(self, path: Loc) -> Place:
        """Find where the value at a path stands."""
        return self.source.place(span_at(self.root, path))


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file's cases, in its order."""

    source: yaml.Source
    cases: tuple[Case, ...]


def load(path: Path, file: str, *, allowed: Sequence[Path] = ()) -> Loaded:
    """Read a file's cases; `file` is how the user named it.

    Files that it names are looked for in its folder; `allowed` are folders that they may be in beside that.

    Raises:
        ScenarioError: It is no scenario; every problem with its place.
        InputError: It cannot be read.
    """
    return _cases(*yaml.read(path, file), _Reading(Files(path.parent, allowed)))


def loads(
    text: str, file: str, *, folder: Path | None = None, allowed: Sequence[Path] = (), is_whole: bool = True
) -> Loaded:
    """Read the cases of a text, as `load`; `folder` is the one it was read from, that of `file` if left out.

    Of a text that is not whole, such as a step typed at a prompt, it is not said what its programs lack.
    """
    files = Files(Path(file).parent if folder is None else folder, allowed)
    return _cases(*yaml.parse(text, file), _Reading(files, is_whole))


class _Reading(NamedTuple):
    """How documents are read: where their files are, and whether they are whole."""

    files: Files
    is_whole: bool = True


def _cases(source: yaml.Source, documents: tuple[yaml.Node, ...], reading: _Reading) -> Loaded:
    cases: list[Case] = []
    wrong: dict[Problem, None] = {}
    for number, document in enumerate(documents, 1):
        for one in _cases_of(source, number, document, reading):
            if isinstance(one, Case):
                cases.append(one)
            else:
                wrong[one] = None
    if not documents:
        wrong[
            Problem(Place(source.file, 1, 1, 1, ""), "the file holds no scenario", "begin with schema: and name:")
        ] = None
    wrong |= dict.fromkeys(_twice(cases))
    if wrong:
        left = tuple(dict.fromkeys(case.id for case in cases))
        raise yaml.ScenarioError(tuple(sorted(wrong, key=lambda one: one.place[1:3])), left)
    return Loaded(source, tuple(cases))


def _twice(cases: Iterable[Case]) -> Iterator[Problem]:
    """Report ids that name two cases."""
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            yield Problem(
                case.place, "a scenario of this name stands in this file already", "give it a name of its own"
            )
        seen.add(case.id)


def _cases_of(source: yaml.Source, number: int, document: yaml.Node, reading: _Reading) -> Iterator[Case | Problem]:
    """Make the cases of one document, or say what is wrong with it."""
    if not isinstance(document, yaml.Mapping):
        yield Problem(source.place(document.span), "a scenario is a mapping", "begin with schema: and name:")
        return
    broken = [Problem(source.place(span), *words) for span, *words in vs.unusable(document)]
    broken += (
        [Problem(source.place(span), *words) for span, *words in vs.needless(document)] if reading.is_whole else []
    )
    yield from broken
    if any(True for _ in vs.unusable(document)):
        return
    count = vs.count(document)
    if count > MOST_CASES:
        span = span_at(document, ("matrix",))
        yield Problem(source.place(span), f"the matrix has {count:,} cases", f"{MOST_CASES:,} are the most")
        return
    for choice in vs.choices(document):
        yield from _case(source, number, document, choice, reading)


def _case(
    source: yaml.Source, number: int, document: yaml.Mapping, choice: vs.Choice, reading: _Reading
) -> Iterator[Case | Problem]:
    """Put one choice of the matrix in, and hold the document against the model."""
    variables = dict(choice) | vs.fixed(document)
    unknown: list[Problem] = []
    root = yaml.Mapping(
        tuple(
            entry
            if entry.key.value in vs.RAW
            else entry._replace(value=_filled(entry.value, variables, source, unknown))
            for entry in document.entries
        ),
        document.is_flow,
        document.span,
    )
    data = data_of(root)
    kinds: dict[int, type[Part]] = {}
    try:
        scenario = Scenario.model_validate(data, context=kinds)
    except ValidationError as error:
        at = {one.place for one in unknown}
        yield from unknown
        said = problems(error.errors(include_url=False), root, source, kinds, data)
        yield from (one for one in said if one.place not in at)
        yield from _settings_of(data, root, source, reading.files)
        return
    scenario, found = _placed(scenario, reading.files)
    found += check(scenario, is_whole=reading.is_whole)
    found = found or [one for side in SIDES for one in reading.files.unread(side, getattr(scenario.session, side))]
    unknown += [Problem(source.place(span_at(root, path)), message, help) for path, message, help in found]
    if unknown:
        yield from unknown
        return
    yield Case(source, number, scenario, root, tuple((name, vs.shown(value)) for name, value in choice))


def _placed(scenario: Scenario, files: Files) -> tuple[Scenario, list[Wrong]]:
    """Let the files that the settings name count from the scenario's folder; list those that are refused."""
    session = scenario.session
    placed = {side: files.placed(side, getattr(session, side)) for side in SIDES}
    session = session.model_copy(update={side: settings for side, (settings, _) in placed.items()})
    return scenario.model_copy(update={"session": session}), [one for _, wrong in placed.values() for one in wrong]


def _settings_of(data: object, root: yaml.Node, source: yaml.Source, files: Files) -> Iterator[Problem]:
    """Hold the settings of a document that is no scenario against their table, so that all is said at once."""
    session = data.get("session") if isinstance(data, dict) else None
    for side in SIDES:
        settings = session.get(side) if isinstance(session, dict) else None
        if not isinstance(settings, dict):
            continue
        placed, wrong = files.placed(side, settings)
        for path, message, help in (*wrong, *check_settings(side, placed)):
            yield Problem(source.place(span_at(root, path)), message, help)


def _filled(
    node: yaml.Node, variables: dict[str, yaml.Scalar], source: yaml.Source, unknown: list[Problem]
) -> yaml.Node:
    """Put variables in where they stand for a whole scalar."""
    fill: Callable[[yaml.Node], yaml.Node] = lambda one: _filled(one, variables, source, unknown)  # noqa: E731
    if isinstance(node, yaml.Mapping):
        entries = tuple(entry._replace(value=fill(entry.value)) for entry in node.entries)
        return yaml.Mapping(entries, node.is_flow, node.span)
    if isinstance(node, yaml.Sequence):
        return yaml.Sequence(tuple(map(fill, node.items)), node.is_flow, node.span)
    if not isinstance(node.value, str) or not node.value.startswith("$"):
        return node
    if node.value.startswith("$$"):
        return yaml.Scalar(node.value[1:], node.value[1:], False, node.span)
    found = variables.get(node.value[1:])
    if found is None:
        help = near(node.value[1:], variables) or "$name stands for a variable; the text itself is $$name"
        unknown.append(Problem(source.place(node.span), f"there is no variable {node.value[1:81]!r}", help))
        return node
    return yaml.Scalar(found.value, found.text, found.is_plain, node.span)
