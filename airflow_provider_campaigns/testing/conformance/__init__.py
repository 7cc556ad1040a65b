"""
The proof that a vendor is launched exactly once and waited for alike in every mode, as pytest classes for its package.

A vendor package declares its vendor and subclasses the classes:

    from airflow_provider_campaigns.testing.conformance import Conformance, Step, VendorUnderTest

    VENDOR = VendorUnderTest(name="acme", vendor="acme", operator=AcmeCreateCampaignOperator, ...)

    class TestAcme(Conformance):
        vendors = [VENDOR]

Its ``conftest.py`` says ``pytest_plugins = ["airflow_provider_campaigns.testing"]``. It needs pytest and this
package's extra ``sandbox``. ``python -m airflow_provider_campaigns.testing.conformance module:NAME`` prints the matrix
of deaths of the vendors that a module declares.
"""

from airflow_provider_campaigns.testing.conformance.cases import Case, Played
from airflow_provider_campaigns.testing.conformance.death_matrix import DeathMatrix
from airflow_provider_campaigns.testing.conformance.declaration import Step, VendorUnderTest
from airflow_provider_campaigns.testing.conformance.guards import Approvals, GuardedLaunches
from airflow_provider_campaigns.testing.conformance.look_ups import Clears, LookUps
from airflow_provider_campaigns.testing.conformance.receipts import Receipts
from airflow_provider_campaigns.testing.conformance.store import Death
from airflow_provider_campaigns.testing.conformance.suite import Suite, only
from airflow_provider_campaigns.testing.conformance.task import Task
from airflow_provider_campaigns.testing.conformance.waiting_modes import WaitingModes, event_of, wait
from airflow_provider_campaigns.testing.conformance.worker import Ended, connect

__all__ = [
    "Approvals",
    "Case",
    "Clears",
    "Conformance",
    "Death",
    "DeathMatrix",
    "Ended",
    "GuardedLaunches",
    "LookUps",
    "Played",
    "Receipts",
    "Step",
    "Suite",
    "Task",
    "VendorUnderTest",
    "WaitingModes",
    "connect",
    "event_of",
    "only",
    "wait",
]


class Conformance(DeathMatrix, LookUps, Clears, Receipts, GuardedLaunches, Approvals, WaitingModes):
    """All that is promised of every vendor."""
