"""Inserts: built-in effects and third-party plugins, alone, in chains, and in separate host processes."""
