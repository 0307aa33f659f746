"""The song player: what its page and the transport bar share, the picture of the song, export."""
