"""``python -m rtaudio``."""

import sys


def run() -> int:
    """The exit code. Ctrl-C is as quiet while libraries are still loading as it is later."""
    try:
        from rtaudio.cli.main import main

        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
