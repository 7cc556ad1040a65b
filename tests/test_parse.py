"""What a DAG file costs when it is parsed: no connection, no network, no HTTP library, no deprecation warning."""

import subprocess
import sys
from pathlib import Path

import airflow.configuration  # noqa: F401  It changes the filters of warnings, once.
import pytest

from airflow_provider_campaigns.testing.airflow_since import airflow_has, needs

REPOSITORY = Path(__file__).parent.parent
EXAMPLES = sorted(REPOSITORY.joinpath("example_dags").glob("*.py"))

#: Run with what is to be parsed, the files of DAGs or modules, all in one process: Airflow's import takes seconds.
GUARD = """
import importlib, runpy, socket, sys, warnings
import airflow
from airflow.exceptions import AirflowOptionalProviderFeatureException
from airflow.providers.common.compat.sdk import DAG, BaseHook, BaseSensorOperator

already = set(sys.modules)

def refuse(*args, **kwargs):
    raise AssertionError("parsing a DAG file must not do this")

socket.socket.connect = refuse
socket.getaddrinfo = refuse
BaseHook.get_connection = classmethod(refuse)
for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
    warnings.filterwarnings("error", category=category, module="airflow_provider_campaigns")
heavy, *parsed = sys.argv[1:]
for one in parsed:
    try:
        runpy.run_path(one) if one.endswith(".py") else importlib.import_module(one)
    except AirflowOptionalProviderFeatureException as lacking:
        print(lacking)
    loaded = set(heavy.split()) & (set(sys.modules) - already)
    assert not loaded, f"{one} loaded {sorted(loaded)}"
"""
HEAVY = "requests aiohttp pyrate_limiter jwt starlette uvicorn phonenumbers"
#: What Airflow itself has moved or deprecated.
DEPRECATED = (
    "from airflow.models.baseoperator import BaseOperator"
    if airflow_has("airflow.sdk")
    else "from airflow.utils.dates import days_ago; days_ago(1)"
)

#: What only some Airflows can import, by what they need to have; on others nothing asks for it.
IMPORTED_LATER = dict.fromkeys(
    [f"airflow_provider_campaigns.observe.{name}" for name in ("board", "campaigns", "printing", "webhook_events")],
    "apps of plugins in the API server",
)


def modules(*folders: str) -> list[str]:
    """Return the names of the package's modules, or of those in some of its folders."""
    root = REPOSITORY / "airflow_provider_campaigns"
    paths = [path for folder in folders or (".",) for path in root.joinpath(folder).rglob("*.py")]
    names = [".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in sorted(paths)]
    return [name.removesuffix(".__init__") for name in names if not name.endswith(".__main__")]


def succeed(code: str, *arguments: object) -> None:
    """Run code in a process of its own."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


@needs("airflow.sdk")
def test_parsing_an_example_touches_neither_network_nor_connections_nor_http_libraries() -> None:
    assert EXAMPLES
    succeed(GUARD, HEAVY, *EXAMPLES)


def test_importing_operators_sensors_and_decorators_touches_neither_network_nor_connections_nor_http_libraries() -> (
    None
):
    succeed(GUARD, HEAVY, *modules("operators", "sensors", "decorators"))


def test_importing_the_package_brings_no_deprecation_warning_of_its_own() -> None:
    later = {name for name, thing in IMPORTED_LATER.items() if not airflow_has(thing)}
    succeed(GUARD, "", *(name for name in modules() if name not in later))


def test_a_deprecated_use_by_this_package_fails_the_test_that_meets_it() -> None:
    with pytest.raises((FutureWarning, DeprecationWarning)):
        exec(DEPRECATED, {"__name__": "airflow_provider_campaigns.planted"})  # noqa: S102


def test_the_api_layer_imports_no_airflow_and_its_clients_no_http_library_before_they_are_used() -> None:
    code = (
        "import pkgutil, importlib, sys\n"
        "import airflow_provider_campaigns.api as api\n"
        "modules = [one.name for one in pkgutil.walk_packages(api.__path__, api.__name__ + '.')]\n"
        "for name in modules:\n"
        "    if name.endswith('.client'):\n"
        "        importlib.import_module(name)\n"
        "assert not {'requests', 'jwt', 'pyrate_limiter', 'starlette', 'phonenumbers'} & set(sys.modules)\n"
        "for name in modules:\n"
        "    importlib.import_module(name)\n"
        "assert not [name for name in sys.modules if name == 'airflow' or name.startswith('airflow.')]\n"
    )
    succeed(code)
