"""The layout is one, changes no value and loses no comment."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sspicli.scenario.edit import written
from sspicli.scenario.layout import comments, formatted
from sspicli.scenario.yaml import ScenarioError, parse, plain
from tests.pairs import IS_DEEP


def test_a_scenario_is_laid_out():
    before = dedent("""\
        # yaml-language-server: $schema=x

        # the steps of it
        steps:   # in order
        # the first
        - leg:  1
          expect: {client: SEC_E_OK,token:   [ClientHello , 'x']}   # why

        -   call: client.init#2
            # inside
            expect:
                   status:
                     SEC_E_OK
               # of the list
        -
          # before
          do: [1,
             # in between
                 2,
          ]
        description: |-
           text:  # no comment
             more

        # the name
        name:    "x"
        session :
            client:
                cert: one
                   two
            # of the session
        # the end
        """)

    after = formatted(before)

    assert after == dedent("""\
        # yaml-language-server: $schema=x

        # the name
        name: "x"
        description: |-
          text:  # no comment
            more
        session:
          client:
            cert: one
              two
          # of the session
        # the steps of it
        steps:   # in order
          # the first
          - leg: 1
            expect: { client: SEC_E_OK, token: [ClientHello, 'x'] }   # why

          - call: client.init#2
            # inside
            expect:
              status: SEC_E_OK
            # of the list
          -
            # before
            do: [1,
               # in between
                   2,
            ]
        # the end
        """)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("\n\n# x  \n\n", "\n\n# x\n"),
        ("a", "a\n"),
        ("a: 1", "a: 1\n"),
        ("a:   1  \n\n\nb: 2\n\n\n", "a: 1\n\n\nb: 2\n"),
        ("steps: 1\nname: 2\nzz: 3\nschema: 4\n", "schema: 4\nname: 2\nsteps: 1\nzz: 3\n"),
        ("steps: 1\n\nname: 2\n", "name: 2\nsteps: 1\n"),
        ("x: {steps: 1, name: 2}\n", "x: { steps: 1, name: 2 }\n"),
        ("x:\n  steps: 1\n  name: 2\n", "x:\n  steps: 1\n  name: 2\n"),
        ("---\nsteps: 1\nname: 2\n--- # two\n-  3\n...\n", "---\nname: 2\nsteps: 1\n--- # two\n- 3\n...\n"),
        ("a:\n- - 1\n  -   2\n-\n- b:\n  c: 3", "a:\n  - - 1\n    - 2\n  -\n  - b:\n    c: 3\n"),
        ("\ufeffa:   1\r\nb:\r\n- c\r\n", "\ufeffa: 1\r\nb:\r\n  - c\r\n"),
        ("[a,b,c: d,{e},{f: },'g':h]", "[a, b, c: d, { e }, { f: }, 'g': h]\n"),
        ("a:\n- |2\n    x\n   y\n", "a:\n  - |2\n      x\n     y\n"),
        ("a: 'x\n\n     y'\n", "a: 'x\n\n  y'\n"),
        ("--- >\n x\n", "--- >\n  x\n"),
        ("a: |+\n x\n\n\nb: 1\n", "a: |+\n  x\n\n\nb: 1\n"),
        ("a:   |+\n x\n\n\n", "a:   |+\n x\n\n\n"),  # the blank lines are part of the text: it stays
        ("? a\n: b\n", "? a\n: b\n"),
        ("---\n---\na:  1\n", "---\n---\na:  1\n"),
    ],
)  # fmt: skip
def test_a_text_is_laid_out_or_stays(before: str, after: str):
    assert formatted(before) == after


def test_what_is_no_yaml_is_an_error():
    with pytest.raises(ScenarioError):
        formatted("a: 'x")


def checked(text: str) -> None:
    """Make sure that a text's layout is one, and keeps values and comments."""
    try:
        nodes = parse(text, "f")[1]
    except ScenarioError:
        return
    after = formatted(text)
    again = parse(after, "f")[1]
    assert repr([plain(one) for one in again]) == repr([plain(one) for one in nodes]) or sorted_top(
        again
    ) == sorted_top(nodes)
    assert comments(text, nodes) == comments(after, again)
    assert formatted(after) == after


def sorted_top(nodes: tuple[object, ...]) -> list[str]:
    values = [plain(one) for one in nodes]  # type: ignore[arg-type]
    return [repr(sorted(one.items(), key=str) if isinstance(one, dict) else one) for one in values]


COMMENTS = st.sampled_from(["", "", "  # c", "   # a: b", " # - 'x"])
LINES = st.sampled_from(["", "", "", "\n", "# own\n", "    # deep\n", "  # less\n\n"])
KEYS = ["name", "steps", "schema", "b", "c", "x y", "'q'"]


@st.composite
def blocks(draw: st.DrawFn, indent: int = 0, depth: int = 3) -> str:
    """Draw a block collection's lines, with indentations, blanks, comments and styles of every kind."""
    width = draw(st.integers(1, 4))
    is_list = draw(st.booleans())
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True))
    text = ""
    for key in keys:
        text += draw(LINES) + " " * indent + ("-" if is_list else key + draw(st.sampled_from([":", ": "])))
        if depth and draw(st.integers(0, 2)) == 0:
            text += draw(COMMENTS) + "\n" + draw(blocks(indent + width, depth - 1))
            continue
        value = draw(st.none() | st.integers() | st.text(max_size=8) | st.sampled_from(["one two", "it's"]))
        leaf = written(value if not isinstance(value, str) else value.encode("utf-8", "ignore").decode())
        pad = " " * (indent + width)
        forms = ["", leaf, f"[{leaf},  b , c: d]", f"{{a: {leaf},b}}", f"[{leaf},\n{pad}b]", f"\n{pad}{leaf}"]
        forms += [f"one\n{pad}two", f"'one\n\n{pad}  two'", f'"one \\\n{pad}two"']
        forms += [f"{head}\n{pad}x\n{pad}  y # z\n\n{pad}w" for head in ("|", ">-", "|+", "| # c", "|-")]
        form = draw(st.sampled_from(forms))
        text += " " * draw(st.integers(1, 3)) + form + ("" if form[:1] in ("|", ">") else draw(COMMENTS)) + "\n"
    return text


@settings(deadline=None, max_examples=50_000 if IS_DEEP else 300)
@given(blocks(), LINES)
def test_a_document_s_layout_is_one_and_keeps_values_and_comments(text: str, end: str):
    parse(text + end, "f")

    checked(text + end)


@settings(deadline=None, max_examples=100_000 if IS_DEEP else 300)
@given(st.text(st.sampled_from("ab1 \n\n-:?,[]{}#|>'\" \r"), max_size=50))
def test_any_text_s_layout_is_one_and_keeps_values_and_comments(text: str):
    checked(text)


@settings(deadline=None, max_examples=10_000 if IS_DEEP else 200)
@given(blocks())
def test_a_document_is_laid_out_and_not_left_as_it_is(text: str):
    first = "-   top   # x" if text.lstrip(" #abcdeflnoprsw\n")[:1] == "-" else "top:   top   # x"

    after = formatted(f"{first}\n{text}z:  1\n" if first[0] == "t" else f"{first}\n{text}-  z\n")

    assert ("- top   # x\n" if first[0] == "-" else "top: top   # x\n") in after
