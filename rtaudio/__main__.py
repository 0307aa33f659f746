"""``python -m rtaudio``."""

import sys

from rtaudio.cli import main

if __name__ == "__main__":
    sys.exit(main())
