"""Trains a run and makes its record: compile, fit, checkpoints, evaluation."""
