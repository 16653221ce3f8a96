"""What a run leaves: its record, where it lies, and which records belong together."""
