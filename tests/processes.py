"""Run the command line as a process of its own, as a user meets it."""

import os
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
