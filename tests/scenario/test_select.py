"""Which cases are run: words, tags, ranges, shares, and what was wrong with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.scenario.select import Selection, Shard, parse_shard, parse_words, why_nothing
from sspicli.sspi.errors import UsageError
from tests.scenario.suites import Made

CASES = [
    Made("plain [1.2]", tags=("tls",)),
    Made("plain [1.3]", tags=("tls", "slow")),
    Made("expired", file="b.sspi.yaml", tags=("certificates",)),
    Made("Not Before", file="b.sspi.yaml"),
]


def names(**selection):
    return [one.name for one in Selection(**selection).of(CASES)]


@pytest.mark.parametrize(
    ("words", "selected"),
    [
        ("plain", [0, 1]),
        ("PLAIN", [0, 1]),
        ("b.sspi", [2, 3]),
        ("plain [1.3]", [1]),
        ("not plain", [2, 3]),
        ("not not plain", [0, 1]),
        ("1.2 or expired", [0, 2]),
        ("1.2 or b.sspi and expired", [0, 2]),
        ("(1.2 or b.sspi) and expired", [2]),
        ("not (1.2 or expired)", [1, 3]),
        ("'not before'", [3]),
        ('plain and not "1.3"', [0]),
        ("nothing", []),
    ],
)
def test_words_select_by_parts_of_ids(words, selected):
    assert names(words=words) == [CASES[one].name for one in selected]


def test_words_that_are_a_part_of_an_id_are_no_expression():
    cases = [Made("the client's key (or none) is not used"), Made("other")]
    assert Selection(words="client's key (or none) is not").of(cases) == cases[:1]


@pytest.mark.parametrize("words", ["and", "a or", "(a", "a)", "()", "a (b)", "a not b", "'a", "or a", "not", "(" * 60])
def test_words_that_are_no_expression_are_refused(words):
    with pytest.raises(UsageError) as refused:
        parse_words(words)
    assert refused.value.where == "-k"


@given(st.text(alphabet="ab ()'\"andornt", max_size=40))
def test_any_words_are_an_expression_or_refused(words):
    try:
        holds = parse_words(words)
    except UsageError:
        return
    assert holds("a.sspi.yaml::b") in (True, False)


def test_a_deep_or_a_long_expression_is_refused_in_bounded_time():
    for words in ("(" * 5000 + "a" + ")" * 5000, "a or " * 5000 + "a"):
        with pytest.raises(UsageError):
            parse_words(words)
    assert parse_words("not " * 2000 + "a")("a")


@pytest.mark.parametrize(
    ("tags", "selected"),
    [
        (("tls",), [0, 1]),
        (("!slow",), [0, 2, 3]),
        (("tls", "!slow"), [0]),
        (("tls", "certificates"), [0, 1, 2]),
        (("certificates", "!certificates"), []),
    ],
)
def test_tags_select_any_of_those_wanted_and_none_of_those_refused(tags, selected):
    assert names(tags=tags) == [CASES[one].name for one in selected]


def test_a_range_goes_by_ids_and_by_files():
    assert names(first=CASES[1].id, last=CASES[2].id) == ["plain [1.3]", "expired"]
    assert names(first="b.sspi.yaml") == ["expired", "Not Before"]
    assert names(last="a.sspi.yaml") == ["plain [1.2]", "plain [1.3]"]
    assert names(words="plain", first=CASES[1].id) == ["plain [1.3]"]


def test_a_range_that_is_none_is_refused():
    with pytest.raises(UsageError, match="stands after"):
        names(first="b.sspi.yaml", last="a.sspi.yaml")
    with pytest.raises(UsageError) as refused:
        names(first="b.sspi.yaml::expird")
    assert refused.value.help == "did you mean 'b.sspi.yaml::expired'?"


def test_the_last_failures_are_selected_by_their_ids():
    assert names(failed=frozenset({CASES[2].id, "gone"})) == ["expired"]


@pytest.mark.parametrize("total", [1, 2, 3, 4, 7])
def test_all_shares_together_are_every_case_once(total):
    shares = [names(shard=Shard(number, total)) for number in range(1, total + 1)]
    assert sorted(name for share in shares for name in share) == sorted(one.name for one in CASES)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/b", "1/0", "-1/2", "1/2/3", "²/3", "1/" + "9" * 40])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(UsageError):
        parse_shard(text)


def test_a_tag_that_no_case_has_is_named():
    assert why_nothing(Selection(tags=("tsl",)), CASES) == "no case has the tag 'tsl'; did you mean 'tls'?"
