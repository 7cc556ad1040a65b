"""Watching all campaigns of a connection."""
