"""
Runs the tests on every supported Airflow, each in an environment of its own; ``make test-matrix``.

Which Airflows there are is told by ``constraints.txt`` (the newest) and by ``tests/constraints``. One row more, called
``lowest``, has the lowest versions that ``pyproject.toml`` allows, of Airflow, of all other dependencies and of Python,
and runs all but whole DAGs. The pair of Airflow and Python that ``.venv`` has is left to ``make test``. What is the
same on every Airflow runs with the newest only, for each Python, and tests that are marked ``thorough`` run only if
asked for.

From the environment: ``AIRFLOW`` and ``PYTHON_VERSIONS`` narrow it (``AIRFLOW="3.1 lowest"``), ``THOROUGH=1`` runs what
is marked so too, ``STRICT=1`` makes a missing interpreter an error, and ``PYTEST="-x -k word"`` goes to pytest.
``QUICK=1`` runs each Airflow with the last of its Pythons that is here, and leaves out what another row proves.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from packaging.specifiers import SpecifierSet

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / ".matrix"
UV = Path(sys.executable).with_name("uv")
PYTHON_VERSIONS = ("3.11", "3.12", "3.13", "3.14")
#: More than there are cores, since much of the tests' time is spent waiting.
WORKERS = str((os.cpu_count() or 2) * 3 // 2)

#: What tests the layers that import no Airflow, see tests/test_layers.py.
WITHOUT_AIRFLOW = (
    *("tests/api", "tests/sandbox", "tests/vendor"),
    "tests/security/test_answers_about_another.py",
    "tests/security/test_answers_are_bounded.py",
    "tests/security/test_credentials_go_nowhere_else.py",
    "tests/security/test_dangerous_calls.py",
    "tests/security/test_ids_cannot_change_the_path.py",
    "tests/security/test_recipients_stay_hidden.py",
)
#: What is the same on every Airflow, or is about the newest: also the package's text, a wheel that is installed with
#: the newest, and the documentation's samples, which are written for it. Marks use Airflow's exceptions and no more.
ON_THE_NEWEST = (
    *WITHOUT_AIRFLOW,
    "tests/docs",
    "tests/security/test_marks_cannot_be_forged.py",
    "tests/test_layers.py",
    "tests/test_wheel.py",
)
#: What the lowest versions of dependencies matter to. The rest is Airflow's, and the row of its newest patch has that.
ON_DEPENDENCIES = (
    *WITHOUT_AIRFLOW,
    *("tests/audience", "tests/contacts", "tests/hooks", "tests/results"),
)
LOWEST = "lowest"


@dataclass(frozen=True)
class Airflow:
    """
    One Airflow to test with.

    :param name: Its version without the patch, such as ``3.1``, or ``lowest``.
    :param version: Its version.
    :param constraints: The versions of everything that is installed with it.
    """

    name: str
    version: str
    constraints: Path

    @property
    def order(self) -> list[int]:
        """What Airflows are sorted by: the lowest versions come first."""
        return [] if self.name == LOWEST else [int(part) for part in self.name.split(".")]


@dataclass
class Row:
    """
    A line of the table.

    :param told: Why nothing was run.
    :param skipped: The reasons of skips, with how often each was given.
    :param ok: False if something failed, or should have been run and was not.
    """

    airflow: str
    python: str
    told: str = ""
    passed: int = 0
    failed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    seconds: float = 0
    ok: bool = True


def airflows() -> list[Airflow]:
    """Return all that are supported, the oldest first."""
    found = []
    for path in (REPOSITORY / "constraints.txt", *(REPOSITORY / "tests" / "constraints").glob("*.txt")):
        version = re.search(r"^apache-airflow==(\S+)", path.read_text(), re.MULTILINE)
        assert version, f"{path} pins no Airflow"
        name = LOWEST if path.stem == LOWEST else ".".join(version[1].split(".")[:2])
        found.append(Airflow(name, version[1], path))
    return sorted(found, key=lambda one: one.order)


def interpreter(python: str) -> Path | None:
    """Return the newest interpreter of a minor version: pyenv's, one beside this one, on PATH or uv's own; or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = {pyenv / "versions", Path(sys.base_prefix).parent}
    versions = sorted(
        (one for folder in folders for one in folder.glob(f"{python}.*") if re.fullmatch(r"[\d.]+", one.name)),
        key=lambda one: int(one.name.split(".")[2]),
        reverse=True,
    )
    # Before pyenv's shims, which answer to every version and end with an error if it is not the chosen one.
    path = [*(str(one / "bin") for one in versions), os.environ.get("PATH", "")]
    found = subprocess.run(
        [UV, "python", "find", "--system", "--no-project", "--no-python-downloads", python],
        env={**os.environ, "PATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def required_python(airflow: Airflow) -> SpecifierSet:
    """Return what an Airflow's metadata says of the Python it needs."""
    folder = FOLDER / "metadata" / airflow.version
    if not folder.is_dir():
        _uv("pip", "install", "--no-deps", "--target", folder, f"apache-airflow=={airflow.version}")
    (metadata,) = importlib.metadata.distributions(name="apache-airflow", path=[str(folder)])
    return SpecifierSet(metadata.metadata["Requires-Python"] or "")


def environment(airflow: Airflow, python: str, base: Path) -> Path:
    """Return the Python of an environment with an Airflow and this package, made unless there is one up to date."""
    folder = FOLDER / f"{airflow.name}-py{python}"
    made = folder / "bin" / "python"
    parts = [(REPOSITORY / "pyproject.toml").read_bytes(), airflow.constraints.read_bytes(), str(base).encode()]
    state, ready = hashlib.sha256(b"\0".join(parts)).hexdigest(), folder / "ready"
    if ready.is_file() and ready.read_text() == state:
        return made
    shutil.rmtree(folder, ignore_errors=True)
    _uv("venv", "--python", base, folder)
    arguments = ("--compile-bytecode", "--constraint", airflow.constraints, "--editable", f"{REPOSITORY}[test]")
    _uv("pip", "install", "--python", made, *arguments)
    ready.write_text(state)
    return made


def _uv(*arguments: str | Path) -> None:
    subprocess.run([UV, "--quiet", "--no-python-downloads", *arguments], check=True)


def run(airflow: Airflow, python: str, *, newest: bool) -> Row:
    """Run the tests with an Airflow and a Python."""
    row = Row(LOWEST if airflow.name == LOWEST else airflow.version, python)
    if _version(python) in {_version(sys.version)} and airflow.version == importlib.metadata.version("apache-airflow"):
        row.told = "left to make test"
        return row
    if not (required := required_python(airflow)).contains(python):
        row.told = f"skipped: Airflow {airflow.version} has no Python {python} (Requires-Python: {required})"
        return row
    base = interpreter(python)
    if base is None:
        row.told = f"SKIPPED: no Python {python} on PATH, beside this one, among pyenv's versions or uv's"
        row.ok = not os.environ.get("STRICT")
        return row
    began = time.monotonic()
    report = FOLDER / f"{airflow.name}-py{python}.xml"
    report.unlink(missing_ok=True)
    try:
        made = environment(airflow, python, base)
    except subprocess.CalledProcessError as error:
        row.told, row.ok = f"FAILED: the environment could not be made ({shlex.join(map(str, error.cmd))})", False
        return row
    print(f"\nAirflow {airflow.version}, Python {python} ({time.monotonic() - began:.0f} s to set up)", flush=True)
    began = time.monotonic()
    paths = which_tests(airflow, newest=newest, quick=bool(os.environ.get("QUICK")))
    ended = subprocess.run([made, "-m", "pytest", *_arguments(report, paths)], cwd=REPOSITORY, check=False)
    row.seconds = time.monotonic() - began
    row.ok = ended.returncode == 0
    if report.is_file():
        _count(report, row)
    else:
        row.told = f"FAILED: pytest ended with {ended.returncode}"
    return row


def which_tests(airflow: Airflow, *, newest: bool, quick: bool) -> list[str]:
    """
    Return the paths that pytest gets for a row, and what it leaves out of them.

    :param airflow: The row's Airflow.
    :param newest: Whether none is newer.
    :param quick: Whether to leave out what another row proves. ``make test`` has the newest Airflow, and the one before
        it has the same Python: there only what needs no Airflow is left.
    """
    if quick and newest:
        return list(WITHOUT_AIRFLOW)
    if quick and airflow.name == LOWEST:
        return list(ON_DEPENDENCIES)
    elsewhere = ["tests/ui"]
    if airflow.name == LOWEST:
        elsewhere += ["tests/integration", *(path for path in ON_THE_NEWEST if path not in WITHOUT_AIRFLOW)]
    elif not newest:
        elsewhere += ON_THE_NEWEST
    return [f"--ignore={path}" for path in elsewhere]


def pythons_of(airflow: Airflow, chosen: Sequence[str], *, quick: bool) -> list[str]:
    """
    Return the Pythons to run an Airflow with.

    :param airflow: The Airflow.
    :param chosen: The Pythons that are asked for.
    :param quick: Whether the last one will do that the Airflow has and that is here.
    """
    if airflow.name == LOWEST:
        return [python for python in chosen if python == PYTHON_VERSIONS[0]]
    if not quick:
        return list(chosen)
    required = required_python(airflow)
    usable = [python for python in chosen if required.contains(python) and interpreter(python)]
    return usable[-1:] or list(chosen[-1:])


def _version(text: str) -> tuple[str, ...]:
    return tuple(text.split(".")[:2])


def _arguments(report: Path, paths: Sequence[str]) -> list[str]:
    marks = "not soak and not ui" + ("" if os.environ.get("THOROUGH") else " and not thorough")
    return [
        *("-q", "--no-header", "--disable-warnings", "-p", "no:cacheprovider", f"--junitxml={report}"),
        *("--numprocesses", WORKERS, "--dist", "loadgroup", "-m", marks),
        *paths,
        *shlex.split(os.environ.get("PYTEST", "")),
    ]


def _count(report: Path, row: Row) -> None:
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314
        if case.find("failure") is not None or case.find("error") is not None:
            row.failed += 1
        elif (skip := case.find("skipped")) is not None:
            # A module that is skipped as a whole tells its reason in the text, after file and line.
            whole = skip.get("message") == "collection skipped"
            reason = (skip.text or "").rpartition("Skipped: ")[2].rstrip("')") if whole else skip.get("message", "")
            row.skipped[reason] += 1
        else:
            row.passed += 1


def table(rows: Sequence[Row]) -> str:
    """Return what came of each, and why what was skipped."""
    lines = [f"{'Airflow':<9}{'Python':<8}{'passed':>8}{'skipped':>9}{'failed':>8}{'seconds':>9}"]
    for row in rows:
        line = f"{row.airflow:<9}{row.python:<8}"
        figures = f"{row.passed:>8}{sum(row.skipped.values()):>9}{row.failed:>8}{row.seconds:>9.0f}"
        lines.append(line + (f"  {row.told}" if row.told else figures))
    reasons: dict[str, dict[str, int]] = {}
    for row in rows:
        for reason, times in row.skipped.items():
            reasons.setdefault(reason, {})[f"{row.airflow}/{row.python}"] = times
    if reasons:
        lines += ["", "Skipped:"]
    for reason, where in sorted(reasons.items()):
        lines.append(f"  {reason}: {', '.join(f'{times} on {name}' for name, times in where.items())}")
    return "\n".join(lines)


def _chosen(name: str, known: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    wanted = environ.get(name, "").replace(",", " ").split()
    unknown = [one for one in wanted if one not in known]
    if unknown:
        raise SystemExit(f"{name}: {', '.join(unknown)} is none of {', '.join(known)}")
    return [one for one in known if not wanted or one in wanted]


def main() -> int:
    """Run what is chosen, print the table, and return 1 if something failed."""
    known = airflows()
    names = _chosen("AIRFLOW", [one.name for one in known], os.environ)
    pythons = _chosen("PYTHON_VERSIONS", PYTHON_VERSIONS, os.environ)
    rows = [
        run(airflow, python, newest=airflow == known[-1])
        for airflow in known
        if airflow.name in names
        for python in pythons_of(airflow, pythons, quick=bool(os.environ.get("QUICK")))
    ]
    print(f"\n{table(rows)}\n")
    failed = [f"{row.airflow} on Python {row.python}" for row in rows if not row.ok]
    passed = sum(row.passed for row in rows)
    print(f"Matrix: not as it should be: {', '.join(failed)}" if failed else f"Matrix: {passed} passed, none failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
