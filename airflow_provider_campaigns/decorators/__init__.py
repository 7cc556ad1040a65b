"""Task decorators: a function gives the campaign's fields, the task launches it."""
