"""Separation: recipes, the training loop, scores."""
