"""What Airflow shows of campaigns: board, API and command line; read-only, from what launches and waits left."""
