"""Judges: folds over the journal that say what the run came to, who failed and why."""
