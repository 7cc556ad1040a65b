"""Audiences: who of a list is to be reached, in which slice, and why everybody else is not."""
