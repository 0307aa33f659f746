"""Parts of the instrument's page: browser, keyboard, morph pad, envelope, MIDI channels, ports and learned controllers."""
