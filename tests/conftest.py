"""What every test may use: the sandbox as a fixture."""

pytest_plugins = ["airflow_provider_campaigns.testing"]
