"""Separate an array: a song into its four stems, in memory.

    python examples/separate_array.py SONG
"""

import sys

import soundfile

from rtaudio import separate

song, rate = soundfile.read(sys.argv[1], dtype="float32", always_2d=True)
stems = separate(song, rate, "demucs-live")  # (frames, stems, channels): drums, bass, other, vocals

for name, k in (("drums", 0), ("bass", 1), ("other", 2), ("vocals", 3)):
    rms = (stems[:, k] ** 2).mean() ** 0.5
    print(f"{name:7} RMS {rms:.4f}")
print(f"largest difference between the song and the sum of its stems: {abs(stems.sum(axis=1) - song).max():.1e}")
