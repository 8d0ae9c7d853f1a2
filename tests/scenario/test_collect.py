"""Which files are run: folders in order, once each, and nothing passed over in silence."""

import os

import pytest

from sspicli.scenario.collect import collect
from sspicli.sspi.errors import InputError


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("z.sspi.yaml", "a.sspi.yaml", "b/c/d.sspi.yaml", "b/x.yaml", "b/a.sspi.yaml", ".git/e.sspi.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b" / "run").write_text('{"schema":"sspi-async/recording/1","secrets":false}\n')
    return tmp_path


def names(*paths):
    return [one.name for one in collect(paths).files]


def test_a_folder_gives_its_scenarios_in_order_and_no_recordings(place):
    assert names(".") == ["a.sspi.yaml", "z.sspi.yaml", "b/a.sspi.yaml", "b/c/d.sspi.yaml"]


def test_files_stand_as_they_were_named_and_once(place):
    assert names("z.sspi.yaml", "./z.sspi.yaml", "b", "b/a.sspi.yaml") == [
        "z.sspi.yaml",
        "b/a.sspi.yaml",
        "b/c/d.sspi.yaml",
    ]


def test_a_file_is_taken_whatever_its_name_and_a_recording_is_known_by_what_it_says(place):
    found = collect(["b/x.yaml", "b/run"]).files
    assert [(one.name, one.is_recording) for one in found] == [("b/x.yaml", False), ("b/run", True)]


def test_an_id_names_its_file_and_its_case(place):
    (found,) = collect(["b/a.sspi.yaml::plain[1.2]"]).files
    assert (found.name, found.case) == ("b/a.sspi.yaml", "b/a.sspi.yaml::plain[1.2]")


def test_two_cases_of_one_file_are_both_taken(place):
    assert [one.case for one in collect(["a.sspi.yaml::x", "a.sspi.yaml::y", "a.sspi.yaml::x"]).files] == [
        "a.sspi.yaml::x",
        "a.sspi.yaml::y",
    ]


@pytest.mark.parametrize("path", ["nowhere", "nowhere::x", "", "a.sspi.yaml/b"])
def test_a_path_that_leads_nowhere_is_refused(place, path):
    with pytest.raises(InputError) as refused:
        collect([path or "no/such"])
    assert refused.value.where


def test_a_link_that_leads_back_is_followed_once(place):
    (place / "b" / "back").symlink_to(place)
    (place / "b" / "gone").symlink_to(place / "nowhere")
    assert names("b") == ["b/a.sspi.yaml", "b/back/a.sspi.yaml", "b/back/z.sspi.yaml", "b/c/d.sspi.yaml"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may look into everything")
def test_a_folder_that_may_not_be_searched_is_a_problem(place):
    (place / "b").chmod(0)
    collected = collect(["."])
    (place / "b").chmod(0o700)
    assert [one.name for one in collected.files] == ["a.sspi.yaml", "z.sspi.yaml"]
    assert collected.problems[0].message == "the folder cannot be searched: Permission denied"
