"""Survival: the installed program, in processes of its own, under what can happen to a process.

Every command takes part: `command_lines.py` has at least one line for each, and a test fails for one that has none.
"""
