"""What several test files need: numpy nets, made-up studies, stand-ins, runs by one name."""
