"""The sub-commands of ``python -m rtaudio``, one a module."""
