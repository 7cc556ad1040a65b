"""What all classes of the kit share: the vendors under test, a sandbox for them, and which test is for which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import pytest

from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance.declaration import VendorUnderTest
from airflow_provider_campaigns.testing.conformance.worker import connect

#: Vendor seconds per real second, unless a test sets another speed.
SPEED = 60.0

_Test = TypeVar("_Test", bound=Callable[..., Any])


def only(applies: Callable[[VendorUnderTest], bool]) -> Callable[[_Test], _Test]:
    """
    Keep a test to the vendors that it says something about; it is skipped where there are none.

    :param applies: Whether it is for a vendor.
    """

    def keep(test: _Test) -> _Test:
        test.applies = applies  # type: ignore[attr-defined]
        return test

    return keep


class Suite:
    """
    Tests of what is promised of every vendor. A subclass names the vendors under test.

    A test gets one of them as ``launched``, and as ``sandbox`` the sandbox without request limits: empty, without
    faults, with Airflow's connections leading to it and all pauses of the package shortened.
    """

    #: The vendors under test.
    vendors: ClassVar[Sequence[VendorUnderTest]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each vendor that it is for."""
        if "launched" in metafunc.fixturenames:
            applies = getattr(metafunc.function, "applies", None)
            chosen = [vendor for vendor in self.vendors if applies is None or applies(vendor)]
            metafunc.parametrize("launched", chosen, ids=str)

    @pytest.fixture
    def sandbox(self, unlimited_campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
        """The sandbox, empty and without faults."""
        unlimited_campaign_sandbox.reset()
        unlimited_campaign_sandbox.set_speed(SPEED)
        connect(unlimited_campaign_sandbox, self.vendors, monkeypatch)
        return unlimited_campaign_sandbox
