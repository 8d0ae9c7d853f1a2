"""Run the command line as a process of its own, as a user meets it."""

import os
import signal
import subprocess
import sys

UNSET = (
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
    "TERM",
    "SSPI_ASYNC_DEBUG",
    "SSLKEYLOGFILE",
    "PYTHONIOENCODING",
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "GITLAB_CI",
)


def environment(**variables):
    """Give an environment without what changes our output, plus these variables."""
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return {**kept, "PYTHONUTF8": "1", **variables}


def sspi(*arguments, cwd=None, stdin="", **variables):
    """Run `sspi-async` with these arguments and wait for its end."""
    return subprocess.run(
        [sys.executable, "-m", "sspicli", *arguments],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env=environment(**variables),
        cwd=cwd,
        timeout=60,
        check=False,
    )


def python(source, *arguments, **variables):
    """Run a program of ours and wait for its end."""
    return subprocess.run(
        [sys.executable, "-c", source, *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment(**variables),
        timeout=60,
        check=False,
    )


_RUNNING: list[subprocess.Popen[bytes]] = []


def begin(command, **how):
    """Begin a process that can be interrupted, whoever runs the tests; it ends with its test, come what may."""
    heed = _heed_signals if os.name == "posix" else None
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed, **how)
    _RUNNING.append(process)
    return process


def _heed_signals():
    """Undo what a shell does for a job in the background: it lets it ignore Ctrl-C."""
    for one in (signal.SIGINT, signal.SIGHUP):
        signal.signal(one, signal.SIG_DFL)


def end_what_runs():
    """Kill what a test has left running, and its children where it has a session of its own."""
    while _RUNNING:
        process = _RUNNING.pop()
        if process.poll() is None:
            if os.name == "posix" and os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.communicate()
