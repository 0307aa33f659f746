"""Training far away: one folder with all that a rented machine without network needs, and what to run there.

``build.py`` makes it, ``start.sh`` runs there, ``poll.sh`` brings the newest weights back.
"""
