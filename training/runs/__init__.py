"""What every run needs: checkpoints, progress, signals, an estimate of its energy."""
