"""What became of campaigns, written to files."""
