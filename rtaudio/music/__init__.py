"""What is known of a song's music: beats, bars, tempo, key and chords. NumPy, and two networks on ONNX Runtime; no thread.

``song_map.find`` makes a ``SongMap`` of samples; ``store`` keeps maps in the user's cache.
"""
