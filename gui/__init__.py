"""The window (PyQt6). It talks to the engine through ``gui.bridge`` only, and the engine plays on when it dies.

Every page is a widget that takes a ``Bridge``: it listens to ``bridge.snapshot_changed`` and gives commands with ``bridge.send``. Colours,
spacing and fonts come from ``gui.theme``; every text a person sees goes through ``tr``; every control has an accessible name.
"""
