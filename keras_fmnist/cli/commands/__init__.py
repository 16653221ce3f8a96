"""The commands, a file each: flags and defaults beside what they do."""
