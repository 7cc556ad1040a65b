"""Launching a campaign exactly once and exactly as meant."""
