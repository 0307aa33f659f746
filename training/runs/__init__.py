"""What every run needs: checkpoints, progress, weights of other packages, an estimate of its energy."""
