"""Sound files in and out, songs, and whole files through the processors."""
