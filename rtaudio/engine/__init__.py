"""The engine: the audio callback, the model's thread, mixer and recorder."""
