"""Training of separators: recipes, the training loop, scores."""
