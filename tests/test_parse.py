"""What a DAG file costs when it is parsed: no connection, no network, no HTTP library, little time."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted(Path(__file__).parent.parent.joinpath("example_dags").glob("*.py"))

GUARD = """
import runpy, socket, sys, warnings
import airflow.sdk
from airflow.sdk import BaseHook

already = set(sys.modules)

def refuse(*args, **kwargs):
    raise AssertionError("parsing a DAG file must not do this")

socket.socket.connect = refuse
socket.getaddrinfo = refuse
BaseHook.get_connection = classmethod(refuse)
warnings.filterwarnings("error", category=DeprecationWarning, module="airflow_provider_campaigns")
runpy.run_path(sys.argv[1])
heavy = {"requests", "aiohttp", "pyrate_limiter", "jwt", "starlette", "uvicorn"}
loaded = heavy & (set(sys.modules) - already)
assert not loaded, f"parsing loaded {sorted(loaded)}"
"""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_parsing_an_example_touches_neither_network_nor_connections_nor_http_libraries(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GUARD, str(path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_api_layer_imports_no_airflow() -> None:
    code = (
        "import pkgutil, importlib, sys\n"
        "import airflow_provider_campaigns.api as api\n"
        "for module in pkgutil.iter_modules(api.__path__, api.__name__ + '.'):\n"
        "    importlib.import_module(module.name)\n"
        "assert not [name for name in sys.modules if name == 'airflow' or name.startswith('airflow.')]\n"
        "assert not {'requests', 'jwt', 'pyrate_limiter', 'starlette'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
