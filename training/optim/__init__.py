"""Optimisers, distributed training, and weights with few bits."""
