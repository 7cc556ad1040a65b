"""Altur in the sandbox."""
