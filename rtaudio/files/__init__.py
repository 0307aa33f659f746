"""Sound files: reading, writing, songs, and separation of whole files."""
