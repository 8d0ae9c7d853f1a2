from __future__ import annotations

import pytest

from sspicli.debugger.debugger import DO
from sspicli.debugger.hand import BY_HAND
from sspicli.debugger.informing import ABOUT, TOPICS
from sspicli.debugger.verbs import GROUPS, VERBS, find
from sspicli.sspi.errors import UsageError
from tests.debugger.consoles import debugger, do


def test_every_verb_that_is_declared_is_done_and_no_other():
    assert {verb.name for verb in VERBS} == set(DO)


def test_no_word_names_two_verbs():
    words = [word for verb in VERBS for word in (verb.name, *verb.aliases)]
    assert len(words) == len(set(words))


def test_every_verb_says_what_it_does_in_a_sentence_and_gives_an_example():
    for verb in VERBS:
        assert verb.sentence.endswith("."), verb.name
        word = find(verb.example.split()[0]).name
        assert word in (verb.name, "delete") or f'"{verb.name} ' in verb.example, verb.name
        assert verb.group in GROUPS


HANDS = ("client", "server")
STATES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    ((), ()),
    ((), ("checkpoint before-tamper", "break callback", "display leg", "continue", "continue")),
    ((), ("hold server", "hold client", "continue")),
    ((), ("hold server.accept", "continue")),
    ((), ("break completion", "continue")),
    ((), ("break leg 1", "continue")),
    ((), ("until leg == 2",)),
    ((), ("continue",)),
    ((), ("continue", "goto 9", "step")),
    (HANDS, ("create client", "set-callback client", "connect client 1", "acquire client")),
)
"""What was done before an example, some state of which it fits."""


def fits(verb, hands, lines):
    one = debugger(by_hand=hands)
    do(one, *lines)
    try:
        return not one.execute(verb.example).error
    finally:
        one.close()


@pytest.mark.parametrize("verb", VERBS, ids=[verb.name for verb in VERBS])
def test_the_example_of_every_verb_can_be_done_as_it_stands(verb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "setup.sspidbg").write_text("break leg 1\n")

    assert any(fits(verb, hands, lines) for hands, lines in STATES), verb.example


def test_every_step_of_a_scenario_but_notes_and_checks_can_be_typed():
    assert {verb.name for verb in VERBS} >= set(BY_HAND)


def test_what_destroys_or_changes_is_not_repeated_by_an_empty_line():
    assert {verb.group for verb in VERBS if verb.is_repeatable} == {"move", "back"}


@pytest.mark.parametrize(
    ("word", "name"),
    [("s", "step"), ("c", "continue"), ("fin", "finish"), ("brea", "break"), ("b", "break"), ("undo", "undo")],
)
def test_aliases_and_unique_prefixes_are_understood(word, name):
    assert find(word).name == name


@pytest.mark.parametrize(
    ("word", "says"), [("stpe", 'did you mean "step"?'), ("che", "checkpoint"), ("re", "read, rec")]
)
def test_an_unknown_word_gets_a_suggestion_and_an_ambiguous_one_its_choices(word, says):
    if word == "che":
        assert find(word).name == says
        return
    with pytest.raises(UsageError) as error:
        find(word)
    assert says in error.value.help


def test_every_topic_of_info_says_what_it_is_about():
    assert ABOUT.keys() == TOPICS.keys()
