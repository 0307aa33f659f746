"""What you see (PyQt6). It talks to the engine through ``rtaudio.session`` only, and never makes or touches sound itself."""
