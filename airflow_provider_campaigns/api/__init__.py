"""The vendors' HTTP APIs, usable without Airflow."""
