"""What the reports claim, as data, and how the records judge it."""
