"""Services of the operating system: realtime threads, file locks, private folders, child processes."""
