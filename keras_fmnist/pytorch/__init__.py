"""The same nets in native PyTorch, and what they are compared by."""
