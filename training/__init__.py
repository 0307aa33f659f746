"""Makes models: data, losses, recipes, the training loop, scores and export. ``python -m training --help`` lists the commands."""
