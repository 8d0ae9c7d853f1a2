"""The captures, made and dissected once for all test workers: the first to come does it, the others read its file."""

from __future__ import annotations

import pickle

import pytest

from tests.peers.captures import Captures, dissect_all, make_all
from tests.peers.programs import required


@pytest.fixture(scope="session")
def captures(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Captures:
    """Make every kind of handshake, and have tshark read them all."""
    for program in ("tshark", "openssl", "gnutls-serv", "gnutls-cli"):
        required(program)
    import fcntl  # not on Windows

    base = tmp_path_factory.getbasetemp()
    if worker_id == "master":
        return _make(tmp_path_factory)
    path = base.parent / "captures.pickle"
    with (base.parent / "captures.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the file
        if path.exists():
            made: Captures = pickle.loads(path.read_bytes())
            return made
        made = _make(tmp_path_factory)
        path.write_bytes(pickle.dumps(made))
        return made


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """Name the xdist worker; `master` without xdist."""
    workerinput: dict[str, str] = getattr(request.config, "workerinput", {})
    return workerinput.get("workerid", "master")


def _make(tmp_path_factory: pytest.TempPathFactory) -> Captures:
    folder = tmp_path_factory.mktemp("captures")
    made = make_all(folder)
    return Captures(made, dissect_all(made, folder))
