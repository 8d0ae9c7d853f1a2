"""The packages command: every package by name, tried and not assumed."""

import json

from sspicli.packages.catalog import PACKAGES, available_packages, create_package
from tests.cli.test_doctor import WITHOUT_PYOPENSSL
from tests.processes import python, sspi


def test_every_package_of_the_catalogue_is_listed_with_its_state():
    ended = sspi("packages")
    assert (ended.returncode, ended.stderr) == (0, "")
    heads = {
        line.split()[0]: line.split(maxsplit=1)[1] for line in ended.stdout.splitlines()[:20] if line[:1].isupper()
    }
    for entry in PACKAGES:
        assert heads[entry.name] == ("available" if entry.create else "not built yet")


def test_an_available_package_names_its_engine():
    packages = json.loads(sspi("packages", "-f", "json").stdout)["packages"]
    engines = {one["name"]: one["engine"] for one in packages if one["available"]}
    assert engines == {entry.name: create_package(entry.name).engine for entry in available_packages()}


def test_a_package_that_is_not_built_is_never_called_available():
    packages = json.loads(sspi("packages", "-f", "json").stdout)["packages"]
    assert {one["name"] for one in packages if not one["available"]} == {
        entry.name for entry in PACKAGES if entry.create is None
    }


def test_it_says_what_is_emulated_and_where_the_differences_are():
    shown = sspi("packages").stdout
    assert "All of SSPI is emulated" in shown
    assert "sspi-async doctor --fidelity" in shown


def test_without_its_engine_a_package_is_listed_with_the_command_that_installs_it():
    ended = python(WITHOUT_PYOPENSSL, "packages")
    assert ended.returncode == 0
    assert "unavailable: " in ended.stdout
    assert "pip install 'pyOpenSSL" in ended.stdout


def test_lines_stay_inside_the_width():
    lines = sspi("packages", "--width", "64").stdout.splitlines()
    assert max(map(len, lines)) <= 64
