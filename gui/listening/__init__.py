"""Listening tests as the listener meets them: sheets, answers, one reel of sounds, a player of its own, and the views of the page.

The files are those of docs/listening.md; ``python -m training listening`` makes and evaluates them. Only the views and the player know Qt.
"""
