"""The command line, ``python -m rtaudio``."""
