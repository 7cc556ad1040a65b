"""The page of what is covered names every request that a client makes, and operators that there are."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from constructors import classes

from airflow_provider_campaigns.api.endpoints import Endpoint

PAGE = (Path(__file__).resolve().parents[2] / "docs/guides/coverage.md").read_text()


def endpoints(vendor: str) -> Iterator[Endpoint]:
    """Yield all endpoints that the modules of a vendor's client declare."""
    package = importlib.import_module(f"airflow_provider_campaigns.api.{vendor}")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            for one in value.values() if isinstance(value, dict) else (value,):
                if isinstance(one, Endpoint):
                    yield one


@pytest.mark.parametrize("vendor", ["kinbox", "altur", "koreai"])
def test_every_request_of_a_client_is_on_the_page(vendor: str) -> None:
    # Kore.ai's paths have a prefix that tells version and application.
    wanted = {f"{one.method} {re.sub(r'^/.*/public/[{]app_id[}]', '', one.path)}" for one in endpoints(vendor)}
    assert wanted
    assert {one for one in wanted if f"`{one}`" not in PAGE} == set()


def test_every_operator_on_the_page_exists() -> None:
    known = {one.__name__ for one in classes()}
    named = set(re.findall(r"`(\w+Operator)`", PAGE))
    assert len(named) > 20
    assert named <= known
