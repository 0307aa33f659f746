"""Training on a rented machine without network: a folder with everything that it needs, and the scripts to run there.

``build.py`` makes the folder, ``start.sh`` runs on that machine, and ``poll.sh`` fetches the newest weights.
"""
