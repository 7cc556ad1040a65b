"""Kinbox in the sandbox."""
