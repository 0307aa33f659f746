"""Sessions and processes: start an engine, watch it, and communicate with it."""
