"""What was run: one file a report, declarations only."""
