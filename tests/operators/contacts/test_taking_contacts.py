"""What all operators that take contacts have in common."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator
from handing_over import (
    adding,
    altur_campaign,
    run,
)

import airflow_provider_campaigns
from airflow_provider_campaigns.contacts.recipients import TakesContacts
from airflow_provider_campaigns.exceptions import (
    CampaignRequestRefused,
)


def takers() -> list[type]:
    """Return every operator of the package, decorated ones too, that has an argument ``contacts``."""
    found = []
    for module in pkgutil.walk_packages(airflow_provider_campaigns.__path__, "airflow_provider_campaigns."):
        if module.name.split(".")[1] in ("operators", "decorators"):
            if module.name.endswith(".approval"):  # it takes no contacts, and needs Airflow 3.1
                continue
            for value in vars(importlib.import_module(module.name)).values():
                takes = inspect.isclass(value) and issubclass(value, BaseOperator) and value not in found
                if takes and any("contacts" in inspect.signature(one.__init__).parameters for one in value.__mro__):
                    found.append(value)
    return found


@pytest.mark.parametrize("operator", takers(), ids=lambda operator: operator.__name__)
def test_every_operator_that_takes_contacts_takes_the_same_arguments_for_them(operator: type) -> None:
    assert issubclass(operator, TakesContacts)
    named = {name for one in operator.__mro__ for name in inspect.signature(one.__init__).parameters}
    assert {"contacts", "max_broken_rows", "default_country", "number_format", "columns"} <= named
    assert {"contacts", "default_country"} <= {*operator.template_fields}


def test_there_are_operators_that_take_contacts() -> None:
    assert len(takers()) >= 5


def test_the_country_may_be_a_default_argument_and_a_template() -> None:
    rows = [{"contact": "(11) 99999-0001"}]
    with DAG("people", schedule=None, default_args={"default_country": "{{ params.country }}"}):
        operator = adding(altur_campaign(), rows)
    operator.render_template_fields({"params": {"country": "br"}})
    assert run(operator)["created"] == 1
    operator = adding("1001", rows, default_country="{{ params.country }}")
    with pytest.raises(CampaignRequestRefused, match="default_country is a template that rendered to None"):
        operator.render_template_fields({"params": {"country": None}})
