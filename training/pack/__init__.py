"""Training on a rented machine without network: a folder with everything that it needs, and what to run there.

``build.py`` makes it, ``start.sh`` runs there, ``poll.sh`` brings the newest weights back.
"""
