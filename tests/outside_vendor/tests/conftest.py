"""An Airflow home of its own for each test process, and the fixtures of airflow-provider-campaigns."""

import atexit
import os
import shutil
import tempfile

# Before anything imports Airflow, which reads its settings then.
_home = tempfile.mkdtemp(prefix="paloma-airflow-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["AIRFLOW_HOME"] = _home

pytest_plugins = ["airflow_provider_campaigns.testing"]
