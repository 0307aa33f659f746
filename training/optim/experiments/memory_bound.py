"""A bound for AdaBatch's speed: what it reads and writes for each entry, without its arithmetic.

A measure, not a solver: ``training.optim.experiments.speed`` runs it on the same data in the same memory as the solvers.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from training.optim.sparse.jit import jit
from training.optim.sparse.kernels import FOUR, ONE, THREE, TWO


@jit()
def accesses(starts, columns, w, order, batch, counts):
    """What ``kernels.batches`` reads and writes with AdaBatch and one worker, and next to nothing else: no loss, no values, no factors.

    Each entry's weight is read twice and written once, and so is its count. The time is a bound for any AdaBatch of two passes.
    Returns a sum, so that nothing can be left out.
    """
    a = b = c = d = 0.0
    for first in range(0, len(order), batch):
        last = min(first + batch, len(order))
        for n in range(first, last):
            j, stop = starts[order[n]], starts[order[n] + 1]
            while j + FOUR <= stop:
                k, l, m, o = columns[j], columns[j + ONE], columns[j + TWO], columns[j + THREE]  # noqa: E741
                a, b, c, d = a + w[k], b + w[l], c + w[m], d + w[o]
                counts[k] += 1
                counts[l] += 1
                counts[m] += 1
                counts[o] += 1
                j += FOUR
        for n in range(first, last):
            j, stop = starts[order[n]], starts[order[n] + 1]
            while j + FOUR <= stop:
                k, l, m, o = columns[j], columns[j + ONE], columns[j + TWO], columns[j + THREE]  # noqa: E741
                e, f, g, h = w[k] + counts[k], w[l] + counts[l], w[m] + counts[m], w[o] + counts[o]
                w[k], w[l], w[m], w[o] = e, f, g, h
                j += FOUR
    return a + b + c + d
