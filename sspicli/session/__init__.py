"""Two endpoints on a wire: actions, drivers, faults, and the loop that fires one transition at a time."""
