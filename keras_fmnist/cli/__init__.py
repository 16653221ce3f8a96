"""The command line: Fire chooses, then something runs."""
