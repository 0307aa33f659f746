"""Optimisers, several processes for one run, and weights with few bits."""
