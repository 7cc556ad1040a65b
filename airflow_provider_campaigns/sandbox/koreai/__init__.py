"""Kore.ai in the sandbox."""
