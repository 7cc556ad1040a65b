"""The lowest versions that are allowed are those that the matrix runs the tests with."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

REPOSITORY = Path(__file__).parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
#: What the tests are installed with.
EXTRAS = ("audience", "sandbox", "test")


def test_each_version_that_is_the_lowest_allowed_is_the_one_that_is_tested() -> None:
    lines = (REPOSITORY / "tests" / "constraints" / "lowest.txt").read_text().splitlines()
    tested = {one.name: one.specifier for one in map(Requirement, (line for line in lines if line[0] != "#"))}
    texts = [*PROJECT["dependencies"], *(text for extra in EXTRAS for text in PROJECT["optional-dependencies"][extra])]
    allowed = {one.name: one.specifier for one in map(Requirement, texts) if one.name != PROJECT["name"]}
    for name, specifiers in allowed.items():
        (lowest,) = [one for one in specifiers if one.operator == ">="]
        (pinned,) = tested[name]
        assert Version(pinned.version) == Version(lowest.version), name
