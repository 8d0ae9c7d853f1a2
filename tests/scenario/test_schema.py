"""The schema that editors use: whole, true to the loader, and made of the model alone."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sspicli.packages.options import settings_of
from sspicli.scenario import yaml
from sspicli.scenario.load import loads
from sspicli.scenario.problems import data_of
from sspicli.scenario.schema import DIALECT, ID, schema
from sspicli.scenario.steps import STEPS, VERBS
from sspicli.scenario.yaml import ScenarioError

ROOT = Path(__file__).parents[2]
SCHEMA = schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
HEAD = "schema: sspi-async/scenario/1\nname: x\n"


def complaints_about(text):
    _, documents = yaml.parse(text, "x.sspi.yaml")
    return [error for one in documents for error in VALIDATOR.iter_errors(data_of(one))]


def is_loaded(text):
    try:
        loads(text, "x.sspi.yaml")
    except ScenarioError:
        return False
    return True


def test_it_is_a_schema_of_2020_12_and_says_so():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert (SCHEMA["$schema"], SCHEMA["$id"]) == (DIALECT, ID)
    assert json.dumps(schema()) == json.dumps(SCHEMA)


def parts():
    return {"": SCHEMA, **{name: one for name, one in SCHEMA["$defs"].items() if "properties" in one}}


def test_every_key_has_a_title_and_a_sentence():
    lacking = [
        f"{name}.{key}"
        for name, part in parts().items()
        for key, one in part["properties"].items()
        if not one.get("title") or not one.get("description", "").endswith((".", ")", ":"))
    ]
    assert lacking == []


def test_every_reference_leads_somewhere():
    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if "$ref" in node else [])
            for one in node.values():
                yield from references(one)
        elif isinstance(node, list):
            for one in node:
                yield from references(one)

    assert {one.removeprefix("#/$defs/") for one in references(SCHEMA)} == set(SCHEMA["$defs"])


def test_it_knows_every_step_and_every_setting():
    assert {verb for verb, step in VERBS.items() if verb in SCHEMA["$defs"][step.__name__]["required"]} == set(VERBS)
    assert len(SCHEMA["properties"]["programs"]["additionalProperties"]["items"]["anyOf"]) == len(STEPS)
    for side in ("client", "server"):
        known = SCHEMA["$defs"]["SessionPart"]["properties"][side]["properties"]
        assert list(known) == [one.key for one in settings_of(side)]


@pytest.mark.parametrize("path", sorted((ROOT / "scenarios").rglob("*.sspi.yaml")), ids=lambda one: one.name)
def test_a_shipped_scenario_is_valid(path):
    assert complaints_about(path.read_text(encoding="utf-8")) == []


BROKEN = {
    "an unknown key": "sesion: {}",
    "no mapping": "session: tls",
    "an unknown version": 'session: { tls: "1.1" }',
    "an unknown setting": "session: { client: { certificate: valid } }",
    "a setting of the other side": "session: { server: { target: example.test } }",
    "a tag of two words": "tags: [two words]",
    "an unknown status": "expect: { client: SEC_E_NO_SUCH_THING }",
    "an unknown alert": "expect: { alert: certificate_expird }",
    "a rule that cannot be": "expect: { findings: [Z001] }",
    "a range backwards spelled": "steps: [{ leg: 1, expect: { token: { size: 5-9 } } }]",
    "leg 0": "steps: [{ leg: 0, expect: {} }]",
    "a step without expect": "steps: [{ leg: 1 }]",
    "a step that is none": "programs: { client: [{ acept: {} }] }",
    "two verbs in a step": "programs: { client: [{ wait: ac, reinit: ac }] }",
    "a variable with a blank": "programs: { client: [{ create: a b }] }",
    "a program of nobody": "programs: { peer: [] }",
    "an argument that is none": "programs: { server: [{ accept: { contxt: x } }] }",
    "bytes that are not hex": "programs: { server: [{ send: { hex: zz } }] }",
    "a call that is none": "schedule: { calls: { client.accpt: inline } }",
    "a name that is a list": "name: [x]",
    "another schema": "schema: sspi-async/scenario/2",
    "a fault that does nothing known": "faults: [{ leg: 1, melt: true }]",
    "no number": "timeout: soon",
    "a negative seed": "schedule: { seed: -1 }",
}


@pytest.mark.parametrize("part", BROKEN.values(), ids=BROKEN)
def test_what_is_no_scenario_is_not_valid(part):
    key = part.partition(":")[0]
    head = "".join(f"{line}\n" for line in HEAD.splitlines() if not line.startswith(f"{key}:"))
    assert complaints_about(head + part) != []
    assert not is_loaded(head + part)


GOOD = [
    "session: { tls: 1.3, client: { tls: 1.2, alpn: [h2, http/1.1] } }",
    "matrix: { tls: [1.2, 1.3] }\nsession: { tls: $tls }",
    "variables: { n: 5 }\nsession: { messages: $n }\nsteps: [{ leg: $n, expect: {} }]",
    "expect: { alert: 45, client: 0x80090328, server: -2146893016 }",
    "steps: [{ call: client.init, expect: { output: [{ type: SECBUFFER_TOKEN, size: 1..9 }] } }]",
    "programs: { client: [{ create: ac }, { set-callback: { do: [{ get-status: ac, expect: SEC_E_OK }] } }] }",
    "programs: { client: [{ create: ac }, { acquire: {} }, { init: { input: null } }] }",
    "expect: { protocol: 5 }",
    "description: 2026-01-01",
    "name: $not a variable here",
]


@pytest.mark.parametrize("part", GOOD)
def test_what_the_loader_takes_is_valid(part):
    text = part if part.startswith("name:") else HEAD + part
    text = text if text.startswith("schema:") else f"schema: sspi-async/scenario/1\n{text}"
    assert is_loaded(text)
    assert complaints_about(text) == []


# -- documents made from the schema ------------------------------------------------------------------------------------
# A document is written as JSON, which is YAML: with every key in quotes. A variable is left out where it could stand,
# since it would have to be declared; recursion ends after a few levels.
_WORDS = st.text("abcdefghijklmnopqrstuvwxyz -", min_size=1, max_size=12).filter(lambda one: one.strip() == one)


def documents(node, depth=0):
    """Make values that a part of the schema accepts."""
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        return st.nothing() if name == "Variable" else documents(SCHEMA["$defs"][name], depth)
    if "anyOf" in node:
        return st.one_of(*(documents(one, depth) for one in node["anyOf"]))
    if "const" in node:
        return st.just(node["const"])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if "pattern" in node:
        return st.from_regex(node["pattern"].replace("\\d", "[0-9]").replace("\\w", "a-z"), fullmatch=True)
    kind = node.get("type", "string")
    return _of_kind(node, kind if isinstance(kind, str) else kind[0], depth)


def _of_kind(node, kind, depth):
    match kind:
        case "object":
            return _objects(node, depth)
        case "array":
            return st.lists(documents(node["items"], depth + 1), max_size=2 if depth < 4 else 0)
        case "integer":
            return st.integers(node.get("minimum", 0), min(node.get("maximum", 1000), 1000))
        case "number":
            return st.floats(max(node.get("minimum", 0), 0.5), min(node.get("maximum", 100), 100))
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case _:
            return st.sampled_from(node["examples"]) if "examples" in node else _WORDS


def _objects(node, depth):
    known = node.get("properties", {})
    required = node.get("required", [])
    if not known:
        values = node["additionalProperties"]
        inner = documents(values, depth + 1) if isinstance(values, dict) else _WORDS
        keys = documents(node.get("propertyNames", {}), depth + 1)
        return st.dictionaries(keys, inner, max_size=2 if depth < 5 else 0)
    optional = (
        {} if depth > 5 else {key: documents(one, depth + 1) for key, one in known.items() if key not in required}
    )
    return st.fixed_dictionaries({key: documents(known[key], depth + 1) for key in required}, optional=_few(optional))


def _few(optional):
    """Leave most of what may be left out."""
    return {key: st.one_of(one) for number, (key, one) in enumerate(optional.items()) if number % 2 == 0}


PARTS = [key for key in SCHEMA["properties"] if key not in ("schema", "name", "matrix", "variables")]
OF_SHAPE = (
    "is missing", "unknown key", "is wanted here", "is none of", "is not written as", "too small", "too large",
    "is no step", "the text", "one step has several verbs",
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_loader_finds_nothing_wrong_with_the_shape_of_what_the_schema_accepts(data):
    part = data.draw(st.sampled_from(PARTS))
    document = {"schema": "sspi-async/scenario/1", "name": "x", part: data.draw(documents(SCHEMA["properties"][part]))}
    assert not list(VALIDATOR.iter_errors(document))
    try:
        loads(json.dumps(document), "x.sspi.yaml")  # JSON is YAML
    except ScenarioError as error:
        said = [one.message for one in error.problems]
        assert not [one for one in said if any(word in one for word in OF_SHAPE)], document


def wrong_forms(value):
    """Give values of another kind in the place of one."""
    forms: list[object] = [[], {}, True, -7, "§", None]
    return [one for one in forms if type(one) is not type(value)]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_the_loader_takes_in_another_form_the_schema_takes_too(data):
    part = data.draw(st.sampled_from(PARTS))
    value = data.draw(documents(SCHEMA["properties"][part]))
    document = {"schema": "sspi-async/scenario/1", "name": "x", part: value}
    holder, key = document, part
    while isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
        holder = holder[key]
        key = data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
    holder[key] = data.draw(st.sampled_from(wrong_forms(holder[key])))
    text = json.dumps(document)
    if is_loaded(text):
        assert complaints_about(text) == [], document
