"""Fuzz one target for as long as it is told: `python -m tests.fuzz.run TARGET [libFuzzer's options]`.

Needs atheris (`pip install atheris`), on Linux or macOS. New inputs are kept in a folder given as the last argument, or
nowhere; what breaks a promise is written to `crash-…` in the working folder and belongs into `crashes/TARGET/`. A few
options: -runs=10000000 -max_len=4096 -max_total_time=600 -print_final_stats=1.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Hand the target over to libFuzzer."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["sspicli"]):
        from tests.fuzz.targets import TARGETS
        from tests.fuzz.words import words
    name, options = sys.argv[1], sys.argv[2:]
    with tempfile.NamedTemporaryFile("w", suffix=".dict", delete=False) as dictionary:
        dictionary.writelines(f'"{one}"\n' for one in words(name) or ["x"])
    folders = [one for one in options if not one.startswith("-")] or [tempfile.mkdtemp()]
    flags = [one for one in options if one.startswith("-")]
    seeds = [str(one) for one in (HERE / "corpus" / name, HERE / "crashes" / name) if one.is_dir()]
    atheris.Setup([sys.argv[0], *flags, f"-dict={dictionary.name}", *folders, *seeds], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
