from __future__ import annotations

import pytest

from sspicli.debugger.debugger import DO
from sspicli.debugger.hand import BY_HAND
from sspicli.debugger.verbs import GROUPS, VERBS, find
from sspicli.sspi.errors import UsageError


def test_every_verb_that_is_declared_is_done_and_no_other():
    assert {verb.name for verb in VERBS} == set(DO)


def test_no_word_names_two_verbs():
    words = [word for verb in VERBS for word in (verb.name, *verb.aliases)]
    assert len(words) == len(set(words))


def test_every_verb_says_what_it_does_in_a_sentence_and_gives_an_example():
    for verb in VERBS:
        assert verb.sentence.endswith("."), verb.name
        assert find(verb.example.split()[0]).name in (verb.name, "delete"), verb.name
        assert verb.group in GROUPS


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
