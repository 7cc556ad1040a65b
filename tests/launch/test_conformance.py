"""The vendors of this package pass the kit that a vendor from outside is held to."""

from under_test import VENDORS

from airflow_provider_campaigns.testing.conformance import Conformance


class TestOurVendors(Conformance):
    vendors = VENDORS
