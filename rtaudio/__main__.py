"""``python -m rtaudio``."""

import sys


def run() -> int:
    """Run the command line and return its exit code. Ctrl-C ends it without a traceback, even while libraries are still loading."""
    try:
        from rtaudio.cli.main import main

        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
