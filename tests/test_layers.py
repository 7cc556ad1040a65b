"""The layers that import no Airflow, which is why their tests run once for each Python and not on every Airflow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow_versions import WITHOUT_AIRFLOW

REPOSITORY = Path(__file__).parent.parent


def imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, at its top or anywhere in it, and the plugins that it asks pytest for."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{one.name}" for one in node.names)
        elif isinstance(node, ast.Assign) and "pytest_plugins" in map(ast.unparse, node.targets):
            yield from ast.literal_eval(node.value)


def source(module: str, importer: Path) -> Path | None:
    """Return the file of a module of this repository's, or None if it is somebody else's."""
    parts = module.split(".")
    for root in (REPOSITORY, REPOSITORY / "tests", REPOSITORY / "demo", importer.parent):
        for path in (root.joinpath(*parts).with_suffix(".py"), root.joinpath(*parts, "__init__.py")):
            if path.is_file():
                return path
    return None


@pytest.mark.parametrize(
    "layer", ["airflow_provider_campaigns/api", "airflow_provider_campaigns/sandbox", *WITHOUT_AIRFLOW]
)
def test_nothing_in_a_layer_without_airflow_imports_it_nor_does_anything_that_it_imports(layer: str) -> None:
    path = REPOSITORY / layer
    todo = [path] if path.is_file() else [*path.rglob("*.py")]
    assert todo
    todo += [found for parent in path.parents if (found := parent / "conftest.py").is_file()]
    seen = dict.fromkeys(todo)
    while todo:
        path = todo.pop()
        for module in imported(path):
            assert module.split(".")[0] != "airflow", f"{path.relative_to(REPOSITORY)} imports {module}"
            found = source(module, path)
            if found is not None and found not in seen:
                seen[found] = None
                todo.append(found)
