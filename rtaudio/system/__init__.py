"""What the operating system is asked for: realtime threads, locks, private folders, child processes."""
