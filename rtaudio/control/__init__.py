"""Sessions and processes: who starts an engine, watches it, and talks to it."""
