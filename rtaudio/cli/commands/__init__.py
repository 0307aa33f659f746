"""One module for each sub-command of ``python -m rtaudio``; the table is in ``rtaudio/cli/main.py``."""
