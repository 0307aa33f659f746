"""One module a sub-command of ``python -m training``; see ``training.cli``."""
