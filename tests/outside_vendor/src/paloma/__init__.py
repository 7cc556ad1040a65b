"""Paloma, an invented vendor of SMS campaigns, for Airflow: a client, a hook, operators and a sandbox of its API."""
