"""References for comparing separators: oracles that know the sources, and methods without learning (thesis sections 1.3 and 3.5.2).

An oracle is a function of the true stems ``(sources, channels, time)`` that returns estimates of the same shape; ``ORACLES`` names them.
The mixture is always the sum of the stems.
"""

from training.oracles.table import ORACLES, Oracle, find_oracle

__all__ = ["ORACLES", "Oracle", "find_oracle"]
