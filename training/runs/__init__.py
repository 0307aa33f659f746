"""Common parts of all runs: checkpoints, progress, weights of other packages, and an estimate of the energy."""
