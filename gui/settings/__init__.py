"""The parts of the settings' dialog: a draft of the engine's configuration, and the tabs that change it."""
