"""Inserts: built-in effects and plugins of others, alone, in chains, and in host processes of their own."""
