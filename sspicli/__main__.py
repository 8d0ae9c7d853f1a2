"""The door: answer `--version` before anything heavy is imported, then hand over to the commands."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `sspi-async`."""
    if sys.argv[1:] in (["--version"], ["-V"]) and sys.stdout is not None:
        from sspicli import __version__

        try:
            sys.stdout.write(f"sspi-async {__version__}\n")
            sys.stdout.flush()
        except OSError as error:
            from sspicli.cli.main import end_of_output

            sys.exit(end_of_output(error))
        return
    try:
        from sspicli.cli.main import run

        run()
    except KeyboardInterrupt:  # while the commands were being imported, or in the middle of ending
        sys.exit(130)
    except RuntimeError as error:  # Python 3.11 makes one of a Ctrl-C in the middle of making a class
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        sys.exit(130)


if __name__ == "__main__":
    main()
