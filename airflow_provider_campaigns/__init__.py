"""Airflow provider for messaging campaigns at Kinbox, Altur and Kore.ai."""

__version__ = "0.1.0"
