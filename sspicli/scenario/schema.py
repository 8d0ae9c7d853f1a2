"""The JSON Schema of a scenario, 2020-12: what editors complete and check by.

The rule guarded here: nothing is said twice. Keys, types and sentences come from the model, the settings of both sides
from their table. What the schema accepts can still be wrong in ways that no schema can say (two keys that exclude each
other, a name that does not exist): `scenario check` says those. It refuses only what the loader refuses, or what is
spelled as no page spells it (`sec_e_ok`).

A variable may stand for any scalar, and a number may be written where a text is meant, so the schema takes both.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from sspicli.packages.options import Setting, settings_of
from sspicli.scenario.model import Scenario
from sspicli.scenario.sentences import sentences_of
from sspicli.scenario.variables import RAW
from sspicli.scenario.words import AsText, Part, kebab

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = "urn:sspi-async:scenario:1"

Node = dict[str, Any]

_VARIABLE = {"$ref": "#/$defs/Variable"}
_VARIABLE_IS: Node = {
    "title": "variable",
    "description": "A variable of `matrix` or `variables`, for the whole value: $name.",
    "type": "string",
    "pattern": r"^\$(?!\$).",
}
_TEXT = ["string", "number"]
_ANNOTATIONS = ("title", "description", "default", "examples")


def schema() -> Node:
    """Make the schema; it is the same each time."""
    made = Scenario.model_json_schema(schema_generator=_Generator)
    defs = {_short(name): one for name, one in made.pop("$defs").items()}
    for part in defs.values():
        for one in part.get("properties", {}).values():
            _name_keys(one, defs)
    defs["SessionPart"]["properties"] |= {side: _settings(side, defs) for side in ("client", "server")}
    defs = {name: _opened(one) for name, one in defs.items()} | {"Variable": _VARIABLE_IS}
    made["properties"] = {key: one if key in RAW else _opened(one) for key, one in made["properties"].items()}
    whole = {"$schema": DIALECT, "$id": ID, **made, "$defs": dict(sorted(defs.items()))}
    for part in (whole, *defs.values()):
        _describe(part, defs)
    renamed: Node = _renamed(whole)
    return renamed


class _Generator(GenerateJsonSchema):
    """Says of a value's form all that the model says, where pydantic by itself drops some of it."""

    def get_title_from_name(self, name: str) -> str:
        """Title a member with its key."""
        return name.replace("-", " ")

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Give each member its sentence."""
        made = super().model_schema(schema)
        kind = schema["cls"]
        for name, sentence in sentences_of(kind).items() if issubclass(kind, Part) else ():
            one = made.get("properties", {}).get(kebab(name))
            if one is not None:
                one.setdefault("description", sentence)
        return made

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        """Let a plain number be a text, unless the text has a form."""
        made = super().str_schema(schema)
        return made if "pattern" in made else made | {"type": _TEXT}

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """Let the numbers among words be written as numbers, where the model takes a number for its text."""
        made = super().function_before_schema(schema)
        if schema["function"].get("function") is AsText.func and "enum" in made:
            numbers = [float(one) for one in made["enum"] if re.fullmatch(r"\d+\.\d+", one)]
            return {"enum": [*made["enum"], *numbers]}
        return made

    def chain_schema(self, schema: core_schema.ChainSchema) -> JsonSchemaValue:
        """Take what all the steps of a chain ask for: a text, and then its pattern."""
        made: JsonSchemaValue = {}
        for step in schema["steps"]:
            made |= self.generate_inner(step)
        return made

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Say how keys are written, and that there are no others."""
        made: JsonSchemaValue = {"type": "object", "additionalProperties": True}
        if "values_schema" in schema:
            made["additionalProperties"] = self.generate_inner(schema["values_schema"]) or True
        keys = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
        form = keys if "$ref" in keys else {key: keys[key] for key in ("pattern", "enum") if key in keys}
        return made | ({"propertyNames": form} if form else {})

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Write a choice told apart by its keys as `anyOf`: editors then report what is wrong with the nearest."""
        made = super().tagged_union_schema(schema)
        return {"anyOf": made["oneOf"]} if "oneOf" in made else made


# -- settings ----------------------------------------------------------------------------------------------------------
def _settings(side: str, defs: Node) -> Node:
    """Write one side's settings, from their table."""
    said = defs["SessionPart"]["properties"][side]["description"]
    rows = {one.key: _setting(one) for one in settings_of(side)}
    return {"title": side, "description": said, "type": "object", "properties": rows, "additionalProperties": False}


def _setting(row: Setting) -> Node:
    """Write one setting: its words are examples, since files and names are values too."""
    one: Node = {"type": _TEXT} | ({"examples": list(row.choices)} if row.choices else {})
    kinds = [one, *([{"type": "array", "items": one}] if row.is_list else [])]
    kinds += [{"type": "null"}] if "none" in row.choices else []
    kinds += [{"$ref": "#/$defs/CertificatePart"}] if row.key == "cert" else []
    return {"title": row.key, "description": row.text, **(one if len(kinds) == 1 else {"anyOf": kinds})}


# -- variables ---------------------------------------------------------------------------------------------------------
def _opened(node: Node) -> Node:
    """Let a variable stand for every scalar of a schema."""
    if "anyOf" in node:
        kinds = [_opened_kind(one) for one in node["anyOf"]]
        has_closed = any(_is_closed(one) for one in node["anyOf"])
        return node | {"anyOf": [*kinds, *([_VARIABLE] if has_closed else [])]}
    if _is_closed(node):
        inner = {key: value for key, value in node.items() if key not in _ANNOTATIONS}
        outer = {key: value for key, value in node.items() if key in _ANNOTATIONS}
        return {**outer, "anyOf": [inner, _VARIABLE]}
    return _opened_kind(node)


def _opened_kind(node: Node) -> Node:
    """Open what stands inside of an object or a list."""
    out = dict(node)
    if "properties" in node:
        out["properties"] = {key: _opened(one) for key, one in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            out[key] = _opened(node[key])
    return out


def _is_closed(node: Node) -> bool:
    """Say whether a schema is of a scalar, and refuses the text of a variable."""
    if node.get("type") == "null" or any(key in node for key in ("$ref", "properties", "items", "anyOf")):
        return False
    is_scalar = node.get("type") in ("string", "integer", "number", "boolean") or "enum" in node or "const" in node
    return is_scalar and (node.get("type") != "string" or bool(node.keys() & {"pattern", "enum", "const"}))


def _name_keys(node: Node, defs: Node) -> None:
    """Write out how a mapping's keys are spelled: no variable stands for a key."""
    for one in (node, *node.get("anyOf", [])):
        name = one.get("propertyNames", {}).get("$ref")
        if name is not None:
            one["propertyNames"] = {"pattern": defs[name.removeprefix("#/$defs/")]["pattern"]}


# -- titles, sentences, names ------------------------------------------------------------------------------------------
def _describe(part: Node, defs: Node) -> None:
    """Give every key of a part a title and a sentence: its own, or that of what it holds, or of its part."""
    for key, one in part.get("properties", {}).items():
        one.setdefault("title", key.replace("-", " "))
        if "description" not in one:
            one["description"] = _sentence_of(one, defs) or part["description"]
        if one.get("default") in (None, {}, []) or isinstance(one.get("default"), dict):
            one.pop("default", None)


def _sentence_of(node: Node, defs: Node) -> str:
    for one in (node, *node.get("anyOf", [])):
        if "$ref" in one:
            return str(defs[_short(one["$ref"].removeprefix("#/$defs/"))].get("description", ""))
    return ""


def _short(name: str) -> str:
    """Name a step's arguments by the step, without the modules around it."""
    return re.sub(r"^.*__(\w+?)__Arguments$", r"\1Arguments", name)


def _renamed(node: Any) -> Any:  # noqa: ANN401 (any JSON)
    """Let references follow the names."""
    if isinstance(node, dict):
        return {key: _renamed(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_renamed(one) for one in node]
    if isinstance(node, str) and node.startswith("#/$defs/"):
        return f"#/$defs/{_short(node.removeprefix('#/$defs/'))}"
    return node
