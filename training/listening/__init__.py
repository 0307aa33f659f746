"""Listening tests around the listener: sheets before, statistics and tables after, and a page to compare by ear (thesis 2.5.3, 3.6.1, A.1).

What the listener sees is the window's (``gui.listening``); both sides meet in the plain files that docs/listening.md describes.
"""
