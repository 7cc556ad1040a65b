"""Altur's API."""
