"""The listener's side of listening tests: sheets, answers, a reel of sounds, a separate player, and the views of the page.

docs/listening.md describes the files; ``python -m training listening`` makes and evaluates them. Only the views and the player use Qt.
"""
