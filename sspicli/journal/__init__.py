"""What happened: one append-only stream of records, and its form in a file."""
