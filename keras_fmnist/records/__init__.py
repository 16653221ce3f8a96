"""The files that runs leave: records, where they are, how they are checked and grouped."""
