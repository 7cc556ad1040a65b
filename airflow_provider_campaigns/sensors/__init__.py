"""Tasks that wait for a campaign."""
