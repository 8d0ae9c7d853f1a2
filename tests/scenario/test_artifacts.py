"""Recordings of failed cases: each under a name of its own, and never over another."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sspicli.journal.recording import read_recording
from sspicli.scenario.artifacts import keep, slug
from sspicli.sspi.errors import WriteError
from tests.handshakes import records_of


@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("a/tls-expired.sspi.yaml::the client refuses[pending-lifo]", "tls-expired-the-client-refuses-pending-lifo"),
        ("x.sspi.yaml::../../etc/passwd", "x-..-..-etc-passwd"),
        ("x.sspi.yaml::\x1b[31m\u202e\0", "x-31m"),
        ("..::..", "case"),
        ("é.sspi.yaml::ü", "case"),
        ("x::" + "y" * 500, "x-" + "y" * 98),
    ],
)
def test_a_name_says_which_case_it_is_of_in_harmless_letters(id, name):
    assert slug(id) == name


def test_a_recording_holds_the_whole_run_and_is_written_over_no_other(tmp_path):
    records = records_of()
    paths = [keep("a.sspi.yaml::b", records, tmp_path) for _ in range(3)]
    assert [path.rpartition("/")[2] for path in paths] == ["a-b.sspirec", "a-b-2.sspirec", "a-b-3.sspirec"]
    for path in tmp_path.iterdir():
        assert len(read_recording(path).records) == len(records)


def test_cases_that_fail_at_once_do_not_take_each_other_s_names(tmp_path):
    records = records_of()
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: keep("a::b", records, tmp_path), range(40)))
    assert len(set(paths)) == len(list(tmp_path.iterdir())) == 40


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(WriteError):
        keep("a::b", [], tmp_path / "no")
