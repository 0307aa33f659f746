"""Preparation and evaluation of listening tests: sheets, statistics, tables, and a page to compare by ear (thesis 2.5.3, 3.6.1, A.1).

The listener uses the window (``gui.listening``). Both packages share the plain files that docs/listening.md describes.
"""
