"""Doors into other people's programs: the pytest plugin, which needs neither click nor a terminal of ours."""
