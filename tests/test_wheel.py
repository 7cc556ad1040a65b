"""The package as users get it: what the wheel holds, and what comes along when it is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.xdist_group("wheel")

REPOSITORY = Path(__file__).resolve().parent.parent
CONSTRAINTS = REPOSITORY / "constraints.txt"

USE = """
import airflow_provider_campaigns.hooks.koreai
import airflow_provider_campaigns.operators.altur
import airflow_provider_campaigns.operators.campaign
import airflow_provider_campaigns.operators.kinbox
import airflow_provider_campaigns.sensors.campaign
import airflow_provider_campaigns.triggers.campaign
from airflow.providers_manager import ProvidersManager

provider = ProvidersManager().providers["airflow-provider-campaigns"]
print(provider.version)
"""


def uv(*arguments: object) -> str:
    """Run uv and return what it printed."""
    command = [sys.executable, "-m", "uv", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def canonical(name: str) -> str:
    """Return a distribution's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names(frozen: str) -> set[str]:
    """Return the names in lines like ``name==version``."""
    return {canonical(re.split(r"[=@ ]", line)[0]) for line in frozen.splitlines() if line[:1].isalnum()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--out-dir", folder, REPOSITORY)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def files(wheel: Path) -> set[str]:
    """Return the names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """Return the wheel's metadata."""
    return metadata_of(wheel)


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel with all that it needs into a virtual environment of its own; return its interpreter."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    uv("venv", "--python", sys.executable, environment)
    python = environment / "bin" / "python"
    uv("pip", "install", "--python", python, "--constraint", CONSTRAINTS, wheel)
    return python


def test_the_wheel_holds_the_package_its_type_marker_and_its_licence_and_nothing_else(files: set[str]) -> None:
    sources = {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "airflow_provider_campaigns").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in files if ".dist-info/" not in name} == sources
    assert "airflow_provider_campaigns/py.typed" in files
    assert [name for name in files if name.endswith(".dist-info/licenses/LICENSE")]


def test_the_wheel_declares_the_dependencies_of_pyproject_and_no_others(metadata: Message) -> None:
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
    required = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
    assert {str(one) for one in required if not one.marker} == {str(Requirement(text)) for text in declared}
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {str(one.marker) for one in required if one.marker} == {f'extra == "{name}"' for name in extras}


def test_the_wheel_shows_a_reader_on_the_index_what_it_is(metadata: Message) -> None:
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "Framework :: Apache Airflow :: Provider" in metadata.get_all("Classifier", [])
    assert metadata["Description-Content-Type"] == "text/markdown"
    targets = re.findall(r"\]\(([^)\s]+)\)", metadata.get_payload())
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []


def test_with_a_public_address_of_the_repository_the_description_s_links_lead_there(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(REPOSITORY / "airflow_provider_campaigns", project / "airflow_provider_campaigns")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, project)
    configured = '[project.urls]\nSource = "https://code.example.com/campaigns/"\n'
    with (project / "pyproject.toml").open("a") as file:
        file.write(configured)
    uv("build", "--wheel", "--out-dir", tmp_path, project)
    [wheel] = tmp_path.glob("*.whl")
    version = wheel.name.split("-")[1]
    text = metadata_of(wheel).get_payload()
    assert f"(https://code.example.com/campaigns/blob/v{version}/docs/guarantees.md)" in text
    assert f"(https://code.example.com/campaigns/raw/v{version}/docs/images/board.png)" in text


def test_the_installed_wheel_is_found_by_airflow_and_its_operators_import(
    installed: Path, wheel: Path, tmp_path: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = subprocess.run(
        [installed, "-I", "-c", USE],
        env={**environment, "AIRFLOW_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == wheel.name.split("-")[1]


def test_beyond_airflow_and_requests_only_the_rate_limiter_and_phone_numbers_come_along(
    installed: Path, tmp_path: Path
) -> None:
    without = tmp_path / "without.in"
    without.write_text("apache-airflow\nrequests\n")
    closure = uv(
        *("pip", "compile", "--quiet", "--no-annotate", "--no-header", "--python", installed),
        *("--constraint", CONSTRAINTS, without),
    )
    come_along = names(uv("pip", "freeze", "--python", installed)) - names(closure)
    assert come_along == {"airflow-provider-campaigns", "phonenumbers", "pyrate-limiter"}
