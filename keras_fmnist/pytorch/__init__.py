"""The same nets in native PyTorch, and comparisons with them: outputs, trainings, speed."""
