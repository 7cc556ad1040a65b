"""Kore.ai's API."""
