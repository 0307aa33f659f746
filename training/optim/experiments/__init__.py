"""Experiments that test what chapters 4 and 5 of the thesis claim: runs, a journal that continues, pictures."""
