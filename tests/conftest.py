"""What every test may use: the sandbox as a fixture, and an Airflow home of its own for each test process."""

import atexit
import os
import shutil
import tempfile

import pytest

# Before anything imports Airflow, which reads its settings then.
_home = tempfile.mkdtemp(prefix="campaigns-airflow-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
for _name in [name for name in os.environ if name.startswith("AIRFLOW")]:
    del os.environ[_name]
os.environ["AIRFLOW_HOME"] = _home
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
# Airflow 3.2 wants one even for the API of its own process.
os.environ["AIRFLOW__API_AUTH__JWT_SECRET"] = os.urandom(32).hex()
os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{_home}/airflow.db"

pytest_plugins = ["airflow_provider_campaigns.testing.sandbox_fixtures", "wire"]


@pytest.fixture(scope="session")
def campaign_airflow() -> None:
    """Prepare no other Airflow: most tests need none, and the others migrate the database of this home."""
