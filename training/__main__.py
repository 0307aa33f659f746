"""``python -m training``."""

import sys


def run() -> int:
    """Run the command line and return its exit code. Ctrl-C ends it without a traceback, even while libraries are still loading."""
    try:
        from training.cli import main

        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
