"""`sspi-async dap` as an editor starts it: a process, its standard streams, and a scripted client behind them."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from sspicli.adapter.framing import Framing, framed
from sspicli.journal.recording import read_recording
from tests.adapter.clients import held_to_the_protocol
from tests.processes import begin, environment

SCENARIO = """\
schema: sspi-async/scenario/1
name: many messages
session: { messages: 60 }
"""


class Peer:
    """The adapter's process, and the client's end of its streams."""

    def __init__(self, cwd):
        command = [sys.executable, "-m", "sspicli", "dap"]
        self.process = begin(command, stdin=subprocess.PIPE, cwd=cwd, env=environment())
        self._framing = Framing()
        self._came = []
        self._seq = 0

    def send(self, command, **arguments):
        """Ask."""
        self._seq += 1
        message = {"seq": self._seq, "type": "request", "command": command, "arguments": arguments}
        self.write(framed(message))
        return self._seq

    def write(self, data):
        """Send bytes."""
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def until(self, is_wanted):
        """Read messages up to one, which is given; the end of the stream is a failure."""
        while True:
            while self._came:
                message = held_to_the_protocol(self._came.pop(0))
                if is_wanted(message):
                    return message
            data = self.process.stdout.read1(1 << 16)
            assert data, "the adapter went away"
            self._came += [json.loads(one) for one in self._framing.feed(data)]

    def ask(self, command, **arguments):
        """Ask, and give the response."""
        seq = self.send(command, **arguments)
        return self.until(lambda one: one["type"] == "response" and one["request_seq"] == seq)

    def event(self, name):
        """Wait for an event."""
        return self.until(lambda one: one.get("event") == name)

    def ended(self):
        """Close the client's end, and give the exit code and what was said."""
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said.decode()


@pytest.fixture
def peer(tmp_path):
    peer = Peer(tmp_path)
    yield peer
    peer.process.kill()
    peer.process.wait()
    for stream in (peer.process.stdin, peer.process.stdout, peer.process.stderr):
        with suppress(OSError):
            stream.close()


@pytest.fixture
def scenario(tmp_path):
    (tmp_path / "many.sspi.yaml").write_text(SCENARIO, encoding="utf-8")
    return "many.sspi.yaml"


def begun(peer, **arguments):
    peer.ask("initialize", adapterID="sspi-async")
    peer.ask("launch", **arguments)
    peer.event("initialized")


def test_a_session_from_initialize_to_disconnect(peer, scenario):
    begun(peer, program=scenario)
    peer.ask("setFunctionBreakpoints", breakpoints=[{"name": "server.accept#1"}])
    peer.ask("configurationDone")
    stop = peer.event("stopped")["body"]
    peer.ask("stackTrace", threadId=stop["threadId"])
    peer.ask("continue", threadId=stop["threadId"])
    assert peer.event("exited")["body"]["exitCode"] == 0
    peer.ask("disconnect")
    assert peer.ended() == (0, "")


def test_standard_output_holds_messages_only_also_when_a_command_prints(peer):
    begun(peer, stopOnEntry=True)
    peer.ask("configurationDone")
    peer.event("stopped")
    assert "client" in peer.ask("evaluate", expression="where", context="repl")["body"]["result"]
    peer.ask("disconnect")
    assert peer.ended() == (0, "")


def test_a_client_that_goes_away_ends_the_adapter_and_leaves_a_whole_recording(peer, scenario, tmp_path):
    begun(peer, program=scenario, record="run.sspirec", stopOnEntry=True)
    peer.ask("configurationDone")
    peer.event("stopped")
    peer.ask("next", threadId=1)
    peer.event("stopped")
    assert peer.ended() == (0, "")
    read = read_recording(tmp_path / "run.sspirec")
    assert not read.note


def test_what_is_no_client_is_told_so_with_code_3(peer):
    peer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    code, said = peer.ended()
    assert code == 3
    assert "Content-Length" in said
    assert "Traceback" not in said


def test_a_message_that_is_no_json_is_told_on_the_console_and_the_connection_lives_on(peer):
    peer.write(b"Content-Length: 3\r\n\r\n{x}")
    assert "no JSON" in peer.event("output")["body"]["output"]
    assert peer.ask("initialize", adapterID="x")["success"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_the_code_of_the_table_and_a_whole_recording(peer, number, code, tmp_path):
    begun(peer, record="run.sspirec", stopOnEntry=True)
    peer.ask("configurationDone")
    peer.event("stopped")
    peer.process.send_signal(number)
    assert peer.process.wait(60) == code
    assert not read_recording(tmp_path / "run.sspirec").note


@pytest.mark.skipif(sys.platform == "win32", reason="pipes differ")
def test_a_client_that_reads_no_more_ends_it_without_a_word(peer):
    peer.process.stdout.close()
    peer.send("initialize", adapterID="x")
    said = peer.process.stderr.read()
    assert (peer.process.wait(60), said) == (141, b"")


def test_pause_stops_a_run_wherever_it_is(peer, tmp_path):
    long = SCENARIO.replace("60", "5000")
    (tmp_path / "long.sspi.yaml").write_text(long, encoding="utf-8")
    begun(peer, program="long.sspi.yaml")
    peer.send("configurationDone")
    peer.send("pause", threadId=1)
    stop = peer.event("stopped")["body"]
    assert (stop["reason"], stop.get("hitBreakpointIds")) == ("pause", None)


@pytest.mark.skipif(os.name != "posix", reason="a terminal is made by a pty")
def test_on_a_terminal_it_says_who_starts_it_and_waits_for_nothing(tmp_path):
    import pty

    ours, its = pty.openpty()
    process = begin([sys.executable, "-m", "sspicli", "dap"], stdin=its, cwd=tmp_path, env=environment())
    out, said = process.communicate(timeout=60)
    os.close(ours)
    os.close(its)
    assert (process.returncode, out) == (2, b"")
    assert b"sspi-async man dap" in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_standard_output_ends_it_with_74(tmp_path):
    asked = framed({"seq": 1, "type": "request", "command": "initialize", "arguments": {"adapterID": "x"}})
    command = [sys.executable, "-m", "sspicli", "dap"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command, input=asked, stdout=full, stderr=subprocess.PIPE, env=environment(), cwd=tmp_path, check=False
        )
    assert done.returncode == 74
    assert b"Traceback" not in done.stderr
