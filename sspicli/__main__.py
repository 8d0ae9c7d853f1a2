"""The door: answer `--version` before anything heavy is imported, then hand over to the commands."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run `sspi-async`."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from sspicli import __version__

        try:
            sys.stdout.write(f"sspi-async {__version__}\n")
            sys.stdout.flush()
        except OSError:
            os._exit(74)  # could not be written; the interpreter's own last flush would say so with a traceback
        return
    try:
        from sspicli.cli.main import run

        run()
    except KeyboardInterrupt:  # while the commands were being imported, or in the middle of ending
        sys.exit(130)


if __name__ == "__main__":
    main()
