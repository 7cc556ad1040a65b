"""Airflow connections to clients."""
