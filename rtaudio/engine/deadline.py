"""How much time the model is given for a block of sound: its deadline, a part of the latency.

**What is given.** Callbacks pass the worker sound in blocks of B frames and fetch stems in blocks. Let the processor's latency be
such that stems that are ready are fetched at once (``SeparatorProcessor.align``): with hops of H frames, H - gcd(H, B). Callback number
j ends at j B and fetches stems up to j B - latency - D for a deadline of D frames. If the worker has finished what it was given k callbacks
ago, floor((j - k) B / H) H stems are ready. That is enough in every callback if and only if

    D >= max over j of  j B - (H - gcd(H, B)) - floor((j - k) B / H) H  =  k B,

for (j - k) B modulo H is at most H - gcd(H, B). So D in frames gives the worker the time of floor(D / B) blocks and never a part of
one more: deadlines are whole blocks, at least one. With rate conversion the processor holds back the worst case of its two grids, and
the same is true. If a hop takes longer than a block, but less than a hop, the deadline is several blocks: the work is spread over them.

**How much is chosen.** See ``rtaudio/control/model_timing.py``.

**When the worker wakes.** Only when a hop is complete (``Processor.missing``). It then writes all stems that are ready, even before they
are due (``Processor.ahead``), and sleeps. Small blocks cost the model no more than large ones.
"""

from __future__ import annotations

import math

from rtaudio.audio.format import StreamFormat


def blocks_for(seconds: float, fmt: StreamFormat) -> int:
    """The fewest blocks that last ``seconds``, at least one."""
    return max(1, math.ceil(round(seconds * fmt.rate / fmt.block, 6)))
