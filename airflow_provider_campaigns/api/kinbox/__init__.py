"""Kinbox's API."""
