"""Waits that run in the triggerer."""
