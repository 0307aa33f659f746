"""SING, the instrument: its three stages of training, scores, tables and release."""
