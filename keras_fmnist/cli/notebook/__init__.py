"""What people call from Python: the study, and tools for models of their own.

`keras_fmnist.train` and its like lead here; docs/api.md has examples.
"""
