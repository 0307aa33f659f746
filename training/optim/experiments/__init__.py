"""Experiments that test the claims of the thesis' chapters 4 and 5: runs, a resumable journal, pictures."""
