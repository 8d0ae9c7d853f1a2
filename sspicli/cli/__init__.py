"""The doors: one file per command, and the console they print to."""
