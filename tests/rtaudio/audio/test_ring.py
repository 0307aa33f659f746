"""The ring buffer: what it gives back is what was written there, or nothing."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtaudio.audio.ring import Ring, Span


def ramp(position: int, n: int) -> np.ndarray:
    """Frames that carry their own position."""
    return np.arange(position, position + n, dtype=np.float32)[:, None]


writes = st.lists(
    st.tuples(st.integers(-40, 40), st.integers(0, 30), st.integers(0, 2)).map(tuple), min_size=1, max_size=25
)


@given(capacity=st.integers(1, 17), jumps=writes, asked=st.integers(-60, 60), n=st.integers(0, 20))
def test_reads_are_what_was_written_last_or_refused(capacity, jumps, asked, n):
    ring, model, position, epoch_now = Ring(capacity, (1,)), {}, 0, 0
    start = end = 0
    for jump, count, epoch in jumps:
        position += jump if jump > 20 else 0  # mostly contiguous
        ring.write(position, ramp(position, count), epoch)
        if (position, epoch) != (end, epoch_now) or count > capacity:
            model, start = {}, position + max(0, count - capacity)
        epoch_now = epoch
        model.update({p: float(p) for p in range(position, position + count)})
        position = end = position + count
        start = max(start, end - capacity)
    assert ring.span == Span(epoch_now, start, end)
    for place in (asked, start, end - n):
        out = np.zeros((n, 1), np.float32)
        given_back = ring.read_into(place, out, epoch_now)
        assert given_back == ((start <= place or start == 0) and place + n <= end)
        if given_back:
            assert out[:, 0].tolist() == [model.get(p, 0.0) for p in range(place, place + n)]
        assert not ring.read_into(place, out, epoch_now + 1)


def test_negative_positions_are_positions_like_others():
    ring = Ring(8, (2,))
    ring.write(-5, np.full((5, 2), 0.5, np.float32))
    ring.write(0, np.full((2, 2), 1.0, np.float32))
    out = np.zeros((4, 2), np.float32)
    assert ring.read_into(-2, out)
    assert out[:, 0].tolist() == [0.5, 0.5, 1.0, 1.0]


def test_a_ring_without_room_is_refused():
    with pytest.raises(ValueError, match="at least one frame"):
        Ring(0, (1,))


def test_a_reader_beside_a_racing_writer_never_sees_a_torn_block():
    ring, blocks = Ring(256, (1,)), 6000
    done = threading.Event()

    def writer() -> None:
        for k in range(blocks):
            ring.write(k * 32, ramp(k * 32, 32))
        done.set()

    thread = threading.Thread(target=writer)
    thread.start()
    good, out = 0, np.zeros((64, 1), np.float32)
    while not done.is_set():
        place = max(0, ring.end - 250)
        if ring.read_into(place, out):
            good += 1
            np.testing.assert_array_equal(out, ramp(place, 64))
    thread.join()
    assert ring.read_into(blocks * 32 - 256, out) and good >= 0


def test_before_the_origin_is_silence_until_something_is_forgotten():
    ring, out = Ring(8, (1,), origin=-3), np.ones((6, 1), np.float32)
    assert ring.holds(-9, -3) and not ring.holds(-9, -2)
    ring.write(-3, np.full((4, 1), 0.5, np.float32))
    assert ring.read_into(-6, out)
    assert out[:, 0].tolist() == [0, 0, 0, 0.5, 0.5, 0.5]
    ring.write(1, np.full((5, 1), 0.5, np.float32))
    assert not ring.holds(-6, 0)


def test_read_gives_zeros_for_what_is_not_there():
    ring, out = Ring(8, (1,)), np.ones((6, 1), np.float32)
    ring.write(2, np.full((2, 1), 0.5, np.float32))
    ring.read(0, out)
    assert out[:, 0].tolist() == [0, 0, 0.5, 0.5, 0, 0]


def test_writing_touches_no_fresh_memory() -> None:
    resource = pytest.importorskip("resource", reason="Windows does not tell page faults so")
    frames = np.ones((1 << 22, 4), np.float32)
    ring = Ring(len(frames), (4,))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    ring.write(0, frames)
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 20
    )  # 64 MiB in pages of 4 KiB to 2 MiB: 16384 to 32
