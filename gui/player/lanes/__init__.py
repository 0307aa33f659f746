"""The song's waveform in lanes: what is known of its stems, what part of it is in sight, and the widgets that show it."""
