"""The rules of the house: which room may import which, how large a room may be, and one name for one thing."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "airflow_provider_campaigns"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_FILES_IN_THE_ROOT = 9
MOST_LINES, MOST_LINES_OF_A_CLASS, MOST_METHODS = 450, 250, 15
#: The comment by which a file or a class says why it is larger.
EXCUSE = re.compile(r"# Large on purpose: \w.{10,}")

FACES = {"operators", "sensors", "triggers", "decorators"}
SUBJECTS = {"arguments", "launch", "wait", "watch", "contacts", "audience", "results"}
#: What the modules in the root may be imported by, and import.
ROOT = {"exceptions", "get_provider_info", "links", "metrics", "ramps", "retries"}
#: Which rooms each room may import; what stands in none of the sets is imported by nobody but itself.
ARROWS: dict[str, set[str]] = {
    "api": set(),
    # Anyone may count; the API, which knows no Airflow, tells its listener, which a hook is.
    "metrics": {"api"},
    "hooks": {"api", "arguments", "get_provider_info", "metrics"},
    "exceptions": {"api"},
    "get_provider_info": {"hooks"},
    "links": {"hooks"},
    "retries": {"exceptions"},
    **{subject: {"api", "hooks", "exceptions", "metrics", *SUBJECTS} for subject in SUBJECTS},
    **{face: {"api", "hooks", "exceptions", "links", "metrics", *SUBJECTS, *FACES} for face in FACES},
    # Lineage, which only its methods import: see the test below.
    "operators": {"api", "hooks", "exceptions", "links", "metrics", "observe", *SUBJECTS, *FACES},
    "ramps": {"api", *SUBJECTS, *FACES},
    "observe": {"api", "links", *SUBJECTS},
    "sandbox": set(),
    "testing": {"api", "hooks", "exceptions", "sandbox", *SUBJECTS, *FACES},
}


def room_of(module: Path) -> str:
    parts = module.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imported_rooms(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == PACKAGE.name and len(parts) > 1:
                yield parts[1]
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE.name:
            yield from (one.name for one in node.names if one.name != "__version__")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_lies_below_it(module: Path) -> None:
    room = room_of(module)
    if room == "__init__":
        return
    assert set(imported_rooms(module)) - {room} <= ARROWS[room]


@pytest.mark.parametrize(
    "module",
    [path for path in MODULES if room_of(path) == "operators"],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_operators_import_what_observes_them_in_methods_alone(module: Path) -> None:
    top = [
        node.module
        for node in ast.parse(module.read_text()).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE.name}.observe")
    ]
    assert top == []


@pytest.mark.parametrize(
    "module",
    [path for path in MODULES if path.stem == "decisions"],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_decisions_know_campaigns_and_errors_and_their_own_room_alone(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE.name):
            allowed = (f"{PACKAGE.name}.api.model", f"{PACKAGE.name}.api.errors", f"{PACKAGE.name}.{room_of(module)}.")
            assert (node.module or "").startswith(allowed), node.module


def test_the_root_holds_few_files_and_no_two_of_nearly_the_same_name() -> None:
    names = sorted(path.stem for path in PACKAGE.glob("*.py"))
    assert len(names) <= MOST_FILES_IN_THE_ROOT
    for folder in {path.parent for path in MODULES}:
        stems = sorted(
            {path.stem for path in [*folder.glob("*.py"), *folder.iterdir()] if not path.stem.startswith("_")}
        )
        roots = defaultdict(list)
        for stem in stems:
            roots[re.sub(r"(ing|er|ed|s|es)$", "", stem)].append(stem)
        assert not [alike for alike in roots.values() if len(alike) > 1], folder


def test_no_class_name_exists_twice() -> None:
    places = defaultdict(list)
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(module.relative_to(PACKAGE)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_is_larger_than_a_room_should_be_says_why(module: Path) -> None:
    lines = module.read_text().splitlines()
    assert len(lines) <= MOST_LINES or EXCUSE.search("\n".join(lines[:20])), f"{len(lines)} lines"
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
            length = (node.end_lineno or 0) - node.lineno + 1
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if length > MOST_LINES_OF_A_CLASS or len(methods) > MOST_METHODS:
                above = "\n".join(lines[max(0, first - 4) : first - 1])
                assert EXCUSE.search(above), f"{node.name}: {length} lines, {len(methods)} methods"
