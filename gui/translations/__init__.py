"""Texts of the window for translators (``.ts``), and in other languages (``.qm``)."""
