"""What a network is, and the networks we ship.

``models.card`` and ``models.catalog`` need no torch and are what the engine uses; the network modules (``models.demucs``,
``models.streaming``) need torch and are what training uses. Exported weights live in ``models/zoo``.
"""
