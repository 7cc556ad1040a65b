"""A vendor from another distribution stands beside this package's own, and a broken one hides nobody."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_campaigns.sandbox.__main__ import main
from airflow_provider_campaigns.sandbox.app import create_app
from airflow_provider_campaigns.sandbox.installed import find_vendors, vendor_names
from airflow_provider_campaigns.sandbox.kinbox.vendor import KinboxVendor
from airflow_provider_campaigns.sandbox.server import Sandbox

OWN = ["kinbox", "altur", "koreai"]

Install = Callable[..., None]

MODULE = """
    from airflow_provider_campaigns.sandbox.kinbox.vendor import KinboxVendor

    class Acme(KinboxVendor):
        name = "acme"
        title = "Acme"
        prefix = "/acme"
        connection = {"login": "me", "extra": {"region": "eu"}}

    class Unnamed(Acme):
        name = None

    class Slashed(Acme):
        prefix = "/acme/"

    something = 7
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Lay distributions onto the path as an installer would."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "acme_sandbox.py").write_text(textwrap.dedent(MODULE))

    def lay(name: str = "acme", value: str = "acme_sandbox:Acme", distribution: str = "acme-sandbox") -> None:
        folder = tmp_path / f"{distribution.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        group = "airflow_provider_campaigns.sandbox_vendors"
        (folder / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")

    return lay


def test_a_vendor_of_another_distribution_is_served_beside_this_packages_own(install: Install) -> None:
    install()
    assert vendor_names() == [*OWN, "acme"]
    assert [vendor.name for vendor in create_app().vendors] == [*OWN, "acme"]


def test_vendors_are_chosen_by_name_or_class_each_once(install: Install) -> None:
    install()
    chosen = find_vendors(["acme", KinboxVendor, "kinbox"])
    assert [vendor.name for vendor in chosen] == ["acme", "kinbox"]


def test_the_airflow_connection_is_what_the_vendors_class_says(install: Install) -> None:
    install()
    with Sandbox(vendors=["acme"]) as sandbox:
        assert sandbox.connections() == {
            "acme_default": {
                "conn_type": "acme",
                "host": sandbox.base_url("acme"),
                "password": "sandbox-token",
                "login": "me",
                "extra": {"region": "eu"},
            }
        }


def test_an_unknown_name_is_refused_with_the_names_that_exist(install: Install) -> None:
    install()
    with pytest.raises(ValueError, match="no vendor 'kinbocks'; installed are kinbox, altur, koreai, acme"):
        create_app(vendors=["kinbocks"])


@pytest.mark.parametrize("vendors", [[], "kinbox"])
def test_no_vendor_and_a_bare_text_are_refused(vendors: object) -> None:
    with pytest.raises(ValueError, match="vendors: give"):
        create_app(vendors=vendors)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("acme_missing:Acme", "cannot be loaded: ModuleNotFoundError: No module named 'acme_missing'"),
        ("acme_sandbox:Nobody", "cannot be loaded: AttributeError"),
        ("acme_sandbox:something", "is not a subclass of"),
        ("acme_sandbox:Unnamed", "does not define name"),
        ("acme_sandbox:Slashed", "has the prefix '/acme/'"),
        ("airflow_provider_campaigns.sandbox.altur.vendor:AlturVendor", "calls itself 'altur'"),
        ("airflow_provider_campaigns.sandbox.vendor:Vendor", "does not define authenticate, inventory"),
    ],
)
def test_a_broken_entry_point_names_itself_and_does_not_hide_the_others(
    install: Install, caplog: pytest.LogCaptureFixture, value: str, complaint: str
) -> None:
    install(value=value)
    with pytest.raises(ValueError, match="entry point 'acme = ") as caught:
        find_vendors(["acme"])
    assert f"'acme = {value}' of the distribution acme-sandbox" in str(caught.value)
    assert complaint in str(caught.value)
    assert [vendor.name for vendor in find_vendors()] == OWN
    assert value in caplog.text


def test_two_distributions_with_one_name_are_both_named(install: Install) -> None:
    install()
    install(distribution="other-sandbox")
    with pytest.raises(ValueError, match="other-sandbox") as caught:
        find_vendors(["acme"])
    assert "acme-sandbox" in str(caught.value)
    assert [vendor.name for vendor in find_vendors()] == OWN


def test_a_distribution_cannot_take_the_place_of_a_vendor_of_this_package(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("kinbox")
    assert find_vendors(["kinbox"]) == [KinboxVendor]
    assert [vendor.name for vendor in find_vendors()] == OWN
    assert "ignores the entry point 'kinbox = acme_sandbox:Acme' of the distribution acme-sandbox" in caplog.text


@pytest.mark.parametrize("prefix", ["/kinbox", "/kinbox/v9", "/_sandbox", "/_sandbox/acme"])
def test_vendors_whose_paths_overlap_are_refused(prefix: str) -> None:
    other = type("Other", (KinboxVendor,), {"name": "other", "prefix": prefix})
    with pytest.raises(ValueError, match="overlaps"):
        find_vendors(["kinbox", other])


def test_the_command_line_refuses_an_unknown_vendor_with_the_names_that_exist(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--port", "0", "--vendor", "kinbox", "--vendor", "kinbocks"])
    assert "no vendor 'kinbocks'; installed are kinbox, altur, koreai" in capsys.readouterr().err
