"""Sparse convex problems (thesis chapter 4): data, solvers in Numba, SVRG, bounds."""
