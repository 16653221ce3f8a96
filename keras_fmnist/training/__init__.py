"""From a spec to a record: compile, fit, callbacks, checkpoints, evaluation."""
