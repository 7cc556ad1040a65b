"""A store of objects for the operators that write to one."""

from object_store import bucket

__all__ = ["bucket"]
