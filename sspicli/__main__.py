"""The door: answer `--version` before anything heavy is imported, then hand over to the commands."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `sspi-async`."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from sspicli import __version__

        sys.stdout.write(f"sspi-async {__version__}\n")
        return
    from sspicli.cli.main import run

    run()


if __name__ == "__main__":
    main()
