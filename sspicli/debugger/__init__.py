"""The debugger: a session run one transition at a time, looked at, changed, gone back in, and kept as a scenario."""
