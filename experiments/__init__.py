"""What was run, and what is claimed of it: declarations only."""
