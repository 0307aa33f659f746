"""The song player: the model shared by its page and the transport bar, the song's waveform, export."""
