"""Waiting for one campaign."""
