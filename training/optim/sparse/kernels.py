"""The inner loops of the sparse solvers, compiled; ``training.optim.sparse.solvers`` calls them.

A sample's gradient is ``slope * x`` with ``slope = phi'(x w)``, so a batch is kept as its slopes and applied to the weights feature by
feature. Each function takes CSR arrays: ``starts`` (rows + 1) as uint64, ``columns`` as uint32 and ``values``, and ``levels`` (rows): entry
j of a row is ``levels[row] * values[j]``, or just the level if ``values`` is None (``problem.Rows``). A batch's slopes include their
samples' levels. Nothing here allocates.

All indices of entries are unsigned, with unsigned constants added to them. Numba tests a signed index for being negative, at each access:
half of the instructions of these loops, and a third of their time. An int64 added to a uint64 would make a float64.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

import numpy as np

from training.optim.sparse.jit import jit, wait

LOGISTIC, LEAST_SQUARES, HINGE = 0, 1, 2
MINIBATCH, ADABATCH, RECONDITIONED = 0, 1, 2
TOUCH = 0x10001
"""Increment for one more sample that has a feature: 16 bits count all samples, 16 bits those not yet applied. When none of these are
left, the entry is cleared, so that a batch needs no pass to reset its counts."""
LARGEST_BATCH = 0xFFFF
ONE, TWO, THREE, FOUR = (np.uint64(n) for n in (1, 2, 3, 4))
TAGS = 0xFFFF
"""The largest tag of ``margin_and_tag``. Two bytes for each feature keep the tags of half a million features in a cache of 1 MiB."""


@jit()
def slope_of(loss, margin, label):
    """Derivative of the loss at ``x w = margin`` (EQ-ADB-1)."""
    if loss == LOGISTIC:
        return -label / (1.0 + math.exp(label * margin))
    if loss == LEAST_SQUARES:
        return margin - label
    return -label if label * margin < 1.0 else 0.0


@jit()
def times(values, j, x):
    """``values[j] * x``. Without values (a type of its own, for which the loops are compiled apart) all are 1."""
    if values is None:
        return x
    return values[j] * x


@jit()
def margin_between(columns, values, w, j, stop):
    """The part of ``x w`` from entries ``j`` to ``stop``.

    Four partial sums keep the processor busy. Their order is always the same, so equal inputs give equal bits in all callers.
    """
    a = b = c = d = 0.0
    while j + FOUR <= stop:
        a += times(values, j, w[columns[j]])
        b += times(values, j + ONE, w[columns[j + ONE]])
        c += times(values, j + TWO, w[columns[j + TWO]])
        d += times(values, j + THREE, w[columns[j + THREE]])
        j += FOUR
    while j < stop:
        a += times(values, j, w[columns[j]])
        j += ONE
    return (a + b) + (c + d)


@jit()
def slope_at(starts, columns, values, levels, labels, w, row, loss):
    """Derivative of one sample's loss, times its level: the factor of its ``values`` in its gradient."""
    margin = levels[row] * margin_between(columns, values, w, starts[row], starts[row + 1])
    return levels[row] * slope_of(loss, margin, labels[row])


@jit()
def margin_and_count(starts, columns, values, w, counts, row):
    """``margin_between`` for a whole sample, equal to the bit, and one more sample for each feature of ``row``."""
    a = b = c = d = 0.0
    j, stop = starts[row], starts[row + 1]
    while j + FOUR <= stop:
        k, l, m, n = columns[j], columns[j + ONE], columns[j + TWO], columns[j + THREE]  # noqa: E741
        a += times(values, j, w[k])
        b += times(values, j + ONE, w[l])
        c += times(values, j + TWO, w[m])
        d += times(values, j + THREE, w[n])
        counts[k] += TOUCH
        counts[l] += TOUCH
        counts[m] += TOUCH
        counts[n] += TOUCH
        j += FOUR
    while j < stop:
        a += times(values, j, w[columns[j]])
        counts[columns[j]] += TOUCH
        j += ONE
    return (a + b) + (c + d)


@jit()
def margin_and_tag(columns, values, w, j, stop, counts, base):
    """``margin_between``, equal to the bit, and one more sample for each of these features.

    Counts start at ``base``, which no count of an earlier batch exceeds, so these need no clearing.
    """
    a = b = c = d = 0.0
    while j + FOUR <= stop:
        k, l, m, n = columns[j], columns[j + ONE], columns[j + TWO], columns[j + THREE]  # noqa: E741
        e, f, g, h = counts[k], counts[l], counts[m], counts[n]
        a += times(values, j, w[k])
        b += times(values, j + ONE, w[l])
        c += times(values, j + TWO, w[m])
        d += times(values, j + THREE, w[n])
        counts[k], counts[l] = max(e, base) + 1, max(f, base) + 1
        counts[m], counts[n] = max(g, base) + 1, max(h, base) + 1
        j += FOUR
    while j < stop:
        a += times(values, j, w[columns[j]])
        counts[columns[j]] = max(counts[columns[j]], base) + 1
        j += ONE
    return (a + b) + (c + d)


@jit()
def add_between(columns, values, w, j, stop, scale):
    """``w += scale * x`` from entries ``j`` to ``stop``.

    A sample has each feature once, so four weights can be read before the first is written: the compiler cannot know that.
    """
    while j + FOUR <= stop:
        k, l, m, n = columns[j], columns[j + ONE], columns[j + TWO], columns[j + THREE]  # noqa: E741
        a = w[k] + times(values, j, scale)
        b = w[l] + times(values, j + ONE, scale)
        c = w[m] + times(values, j + TWO, scale)
        d = w[n] + times(values, j + THREE, scale)
        w[k], w[l], w[m], w[n] = a, b, c, d
        j += FOUR
    while j < stop:
        w[columns[j]] += times(values, j, scale)
        j += ONE


@jit()
def add_rated(columns, values, w, j, stop, scale, rates, ranks):
    """``w += scale * rates * x``: reconditioned, with the rate of each feature's frequency, four at a time as ``add_between``."""
    while j + FOUR <= stop:
        k, l, m, n = columns[j], columns[j + ONE], columns[j + TWO], columns[j + THREE]  # noqa: E741
        a = w[k] + times(values, j, scale * rates[ranks[k]])
        b = w[l] + times(values, j + ONE, scale * rates[ranks[l]])
        c = w[m] + times(values, j + TWO, scale * rates[ranks[m]])
        d = w[n] + times(values, j + THREE, scale * rates[ranks[n]])
        w[k], w[l], w[m], w[n] = a, b, c, d
        j += FOUR
    while j < stop:
        k = columns[j]
        w[k] += times(values, j, scale * rates[ranks[k]])
        j += ONE


@jit()
def add_averaged(columns, values, w, j, stop, counts, base, scales):
    """``w += scales[count] * x``: AdaBatch (Algorithm 1), four at a time as ``add_between``.

    ``scales`` are the sample's factors by the number of samples of the batch that have a feature.
    """
    while j + FOUR <= stop:
        k, l, m, n = columns[j], columns[j + ONE], columns[j + TWO], columns[j + THREE]  # noqa: E741
        a = w[k] + times(values, j, scales[np.uint64(counts[k] - base)])
        b = w[l] + times(values, j + ONE, scales[np.uint64(counts[l] - base)])
        c = w[m] + times(values, j + TWO, scales[np.uint64(counts[m] - base)])
        d = w[n] + times(values, j + THREE, scales[np.uint64(counts[n] - base)])
        w[k], w[l], w[m], w[n] = a, b, c, d
        j += FOUR
    while j < stop:
        k = columns[j]
        w[k] += times(values, j, scales[np.uint64(counts[k] - base)])
        j += ONE


@jit()
def add_backward(columns, values, w, start, j, scale, rates, ranks, share):
    """As ``add_rated`` (``share`` instead of rates if there are none), from the rarest feature to the most frequent one.

    Otherwise two workers that leave a barrier together would reach the frequent features at the same time and lose updates of them.
    """
    while j > start:
        j -= ONE
        k = columns[j]
        w[k] += times(values, j, scale * (share if share > 0 else rates[ranks[k]]))


@jit()
def sgd(starts, columns, values, levels, labels, w, order, step, loss):
    """One sample at a time, without penalty: sequential SGD, and the work of each Hogwild! worker on shared ``w``."""
    for n in range(len(order)):
        row = order[n]
        slope = slope_at(starts, columns, values, levels, labels, w, row, loss)
        if slope != 0.0:
            add_between(columns, values, w, starts[row], starts[row + 1], -step * slope)


@jit()
def gather(starts, columns, values, levels, labels, w, order, first, size, loss, counts, slopes):
    """Slopes at ``w`` and counts of the samples of a batch."""
    for b in range(size):
        row = order[first + b]
        margin = levels[row] * margin_and_count(starts, columns, values, w, counts, row)
        slopes[b] = levels[row] * slope_of(loss, margin, labels[row])


@jit()
def penalised(
    starts, columns, values, levels, labels, w, order, batch, step, loss, rule, penalty, rates, ranks, counts, shares, slopes
):
    """As ``batches``, with ``penalty / 2 * w_k^2`` in each sample that has feature k (EQ-SVR-6).

    Its gradient is taken at the weights before the batch, when a feature occurs for the first time.
    """
    for first in range(0, len(order), batch):
        size = min(batch, len(order) - first)
        gather(starts, columns, values, levels, labels, w, order, first, size, loss, counts, slopes)
        for b in range(size):
            row = order[first + b]
            for j in range(starts[row], starts[row + 1]):
                k = columns[j]
                count = counts[k]
                total, left = count >> 16, count & 0xFFFF
                if rule == ADABATCH:
                    rate = shares[total]
                elif rule == MINIBATCH:
                    rate = shares[size]
                else:
                    rate = rates[ranks[k]]
                if left == total:
                    w[k] -= step * penalty * w[k] * rate * total
                w[k] -= times(values, j, step * slopes[b]) * rate
                counts[k] = 0 if left == 1 else count - 1


@jit()
def adagrad(
    starts, columns, values, levels, labels, w, order, batch, step, loss, penalty, eps, sums, squares, counts, shares, slopes
):
    """Adagrad on the mean gradient of each batch, current gradient included, eps inside the root (EQ-ADB-6, ERR-04)."""
    for first in range(0, len(order), batch):
        size = min(batch, len(order) - first)
        gather(starts, columns, values, levels, labels, w, order, first, size, loss, counts, slopes)
        for b in range(size):
            row = order[first + b]
            for j in range(starts[row], starts[row + 1]):
                k = columns[j]
                count = counts[k]
                total = sums[k] + times(values, j, slopes[b])
                if count & 0xFFFF == 1:  # the batch's last sample with this feature: the sum is complete
                    gradient = (total + penalty * w[k] * (count >> 16)) * shares[size]
                    squares[k] += gradient * gradient
                    w[k] -= step * gradient / math.sqrt(eps + squares[k])
                    sums[k], counts[k] = 0.0, 0
                else:
                    sums[k], counts[k] = total, count - 1


@jit()
def variance_reduced(
    starts, columns, values, levels, labels, w, mean, order, batch, step, loss, adaptive, penalty,
    anchor, anchor_slopes, full_rated, counts, shares, slopes,
):  # fmt: skip
    """An epoch of SVRG (EQ-SVR-2) from ``w``; ``mean``, which starts as a copy of it, ends as the mean of the iterates.

    A change of ``w_k`` in iteration n of m stays in m - n + 1 iterates, so the mean needs no pass over all features.
    ``anchor_slopes`` are those of each sample at ``anchor``; ``full_rated`` is the full gradient there, divided by p (errata: none).
    """
    rounds = (len(order) + batch - 1) // batch
    for n in range(rounds):
        first = n * batch
        size = min(batch, len(order) - first)
        stays = (rounds - n) / rounds
        gather(starts, columns, values, levels, labels, w, order, first, size, loss, counts, slopes)
        for b in range(size):
            row = order[first + b]
            change = slopes[b] - levels[row] * anchor_slopes[row]
            for j in range(starts[row], starts[row + 1]):
                k = columns[j]
                count = counts[k]
                total, left = count >> 16, count & 0xFFFF
                rate = shares[total] if adaptive else shares[size]
                gradient = times(values, j, change)
                if left == total:
                    gradient += total * (penalty * (w[k] - anchor[k]) + full_rated[k])
                delta = -step * gradient * rate
                w[k] += delta
                mean[k] += delta * stays
                counts[k] = 0 if left == 1 else count - 1


@jit()
def audit(starts, columns, values, levels, labels, w, check, order, first, size, step, loss, rates, ranks, slopes, tally):
    """After a batch of ``wild``: were all slopes those at the weights before it (``check``), and which updates were lost?

    Adds to ``tally``: slopes that differ by a bit, features whose weight differs from the exact update. ``check`` then follows ``w``.
    """
    for b in range(size):
        row = order[first + b]
        if slopes[b] != slope_at(starts, columns, values, levels, labels, check, row, loss):
            tally[0] += 1
    for b in range(size):
        row = order[first + b]
        add_rated(columns, values, check, starts[row], starts[row + 1], -step * slopes[b], rates, ranks)
    for b in range(size):
        row = order[first + b]
        for j in range(starts[row], starts[row + 1]):
            k = columns[j]
            if abs(w[k] - check[k]) > 1e-9 * (abs(w[k]) + abs(check[k]) + 1e-9):
                tally[1] += 1
            check[k] = w[k]


@jit()
def wild(
    worker, workers, synchronous, starts, columns, values, levels, labels, w, order, batch, step, loss, plain, rates, ranks, shares,
    slopes, barrier, check, tally,
):  # fmt: skip
    """One worker of Algorithm 2: its samples' slopes, a barrier, its samples' part of the update without locks, a barrier.

    ``plain`` takes the mean of the gradients instead (Wild mini-batch SGD). If ``check`` is not empty, each batch is audited. Returns
    False if the run was stopped.
    """
    for first in range(0, len(order), batch):
        size = min(batch, len(order) - first)
        low, high = first + size * worker // workers, first + size * (worker + 1) // workers
        for n in range(low, high):
            row = order[n]
            slopes[n - first] = slope_at(starts, columns, values, levels, labels, w, row, loss)
        if synchronous and not wait(barrier, workers):
            return False
        for n in range(low, high):
            start, end, scale = starts[order[n]], starts[order[n] + 1], -step * slopes[n - first]
            if worker % 2:
                add_backward(columns, values, w, start, end, scale, rates, ranks, shares[size] if plain else 0.0)
            elif plain:
                add_between(columns, values, w, start, end, scale * shares[size])
            else:
                add_rated(columns, values, w, start, end, scale, rates, ranks)
        if not wait(barrier, workers):
            return False
        if len(check):
            if worker == 0:
                audit(starts, columns, values, levels, labels, w, check, order, first, size, step, loss, rates, ranks, slopes, tally)
            if not wait(barrier, workers):
                return False
    return True


@jit()
def batches(
    worker, workers, cuts, edges, columns, values, levels, labels, w, order, batch, step, loss, rule, rates, ranks, counts, base,
    shares, scales, margins, barrier,
):  # fmt: skip
    """One worker of mini-batches of ``order``, without penalty: all slopes at the weights before a batch, then the update by ``rule``.

    Each worker owns the features ``edges[worker]`` to ``edges[worker + 1]``: of sample ``row`` the entries ``cuts[row, worker]`` to
    ``cuts[row, worker + 1]``. It computes their part of every margin, waits for the other parts, and updates its own weights. No other
    worker reads or writes these, so no update is lost, and no cache line travels between processors but those of ``margins``
    (2, workers, batch). Its halves alternate, so that a worker that is ahead does not overwrite what another one still adds up: one
    barrier for each batch is enough. ``scales`` has a row of at least batch + 1 numbers for each worker.

    No entry of ``counts`` is above ``base``. Returns the base of the next batch, or -1 if the run was stopped.
    """
    for first in range(0, len(order), batch):
        size = min(batch, len(order) - first)
        if base + size > TAGS:
            counts[edges[worker] : edges[worker + 1]] = 0
            base = 0
        parts = margins[first // batch % 2]
        for b in range(size):
            low, high = cuts[order[first + b], worker], cuts[order[first + b], worker + 1]
            if rule == ADABATCH:
                parts[worker, b] = margin_and_tag(columns, values, w, low, high, counts, base)
            else:
                parts[worker, b] = margin_between(columns, values, w, low, high)
        if not wait(barrier, workers):
            return -1
        for b in range(size):
            row = order[first + b]
            margin = parts[0, b]
            for other in range(1, workers):
                margin += parts[other, b]
            scale = -step * (levels[row] * slope_of(loss, levels[row] * margin, labels[row]))
            low, high = cuts[row, worker], cuts[row, worker + 1]
            if rule == ADABATCH:
                for count in range(1, size + 1):
                    scales[worker, count] = scale * shares[count]
                add_averaged(columns, values, w, low, high, counts, base, scales[worker])
            elif rule == MINIBATCH:
                add_between(columns, values, w, low, high, scale * shares[size])
            else:
                add_rated(columns, values, w, low, high, scale, rates, ranks)
        base += size
    return base
