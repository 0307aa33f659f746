"""Measures the speed of training, of exported models and of other packages."""
