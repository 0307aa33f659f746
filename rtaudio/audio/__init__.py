"""Samples: their format, rings, rate conversion, limiting, levels. Knows nothing of models, files or devices."""
