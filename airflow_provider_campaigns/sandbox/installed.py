"""Which vendors the sandbox can serve: those of this package, and those that other distributions register."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata

from airflow_provider_campaigns.sandbox.vendor import Vendor

logger = logging.getLogger(__name__)

#: Entry-point group of vendors from other distributions: the vendor's name = its class (``acme_sandbox:AcmeVendor``).
ENTRY_POINT_GROUP = "airflow_provider_campaigns.sandbox_vendors"

#: This package's own vendors. They are not looked up by entry point, so that the sandbox also runs from a checkout
#: that is not installed, or that was installed before a vendor was added.
BUILT_IN = {
    "kinbox": "airflow_provider_campaigns.sandbox.kinbox.vendor:KinboxVendor",
    "altur": "airflow_provider_campaigns.sandbox.altur.vendor:AlturVendor",
    "koreai": "airflow_provider_campaigns.sandbox.koreai.vendor:KoreAIVendor",
}

#: What the sandbox keeps for itself, in paths.
CONTROL_PREFIX = "/_sandbox"


def vendor_names() -> list[str]:
    """Return the names of all vendors that are installed, whether or not they can be loaded; this package's first."""
    return list(_loaders())


def find_vendors(wanted: Sequence[str | type[Vendor]] | None = None) -> list[type[Vendor]]:
    """
    Return vendors' classes, each once.

    :param wanted: names of installed vendors, or classes; None: all that are installed. Of all, one that cannot be
        loaded is left out, and a warning names it.
    :raises ValueError: a name is unknown, a vendor that was asked for by name cannot be loaded, nothing is wanted, or
        two vendors have the same name or paths that overlap.
    """
    if wanted is None:
        found = list(_all_that_load())
    elif isinstance(wanted, str):
        raise ValueError(f"vendors: give a list of names, [{wanted!r}], not a text")
    else:
        found = list(dict.fromkeys(_load(entry) if isinstance(entry, str) else entry for entry in wanted))
    if not found:
        raise ValueError(f"vendors: give at least one of {', '.join(vendor_names())}")
    _check_apart(found)
    return found


def _all_that_load() -> Iterable[type[Vendor]]:
    for name in _loaders():
        try:
            yield _load(name)
        except ValueError as error:
            logger.warning("The sandbox runs without the vendor %r: %s", name, error)


def _load(name: str) -> type[Vendor]:
    loaders = _loaders()
    if name not in loaders:
        raise ValueError(f"vendors: there is no vendor {name!r}; installed are {', '.join(loaders)}")
    return loaders[name]()


def _loaders() -> dict[str, Callable[[], type[Vendor]]]:
    loaders = {name: _built_in(path) for name, path in BUILT_IN.items()}
    points: dict[str, list[metadata.EntryPoint]] = {}
    for point in metadata.entry_points(group=ENTRY_POINT_GROUP):
        if point.name in BUILT_IN:
            logger.warning("The sandbox ignores the %s: this package has a vendor of that name", _told(point))
        else:
            points.setdefault(point.name, []).append(point)
    return loaders | {name: _from_outside(name, points[name]) for name in sorted(points)}


def _built_in(path: str) -> Callable[[], type[Vendor]]:
    def load() -> type[Vendor]:
        module, _, name = path.partition(":")
        loaded: type[Vendor] = getattr(importlib.import_module(module), name)
        return loaded

    return load


def _from_outside(name: str, points: Sequence[metadata.EntryPoint]) -> Callable[[], type[Vendor]]:
    def load() -> type[Vendor]:
        told = " and ".join(_told(point) for point in points)
        if len(points) > 1:
            raise ValueError(f"{told} have the same name; uninstall all but one")
        try:
            loaded = points[0].load()
        except Exception as error:
            raise ValueError(f"{told} cannot be loaded: {type(error).__name__}: {error}") from error
        problem = _problem(name, loaded)
        if problem:
            raise ValueError(f"{told} {problem}")
        vendor: type[Vendor] = loaded
        return vendor

    return load


def _told(point: metadata.EntryPoint) -> str:
    distribution = f" of the distribution {point.dist.name}" if point.dist else ""
    return f"entry point '{point.name} = {point.value}'{distribution}"


def _problem(name: str, loaded: object) -> str | None:
    """Return what keeps the object behind an entry point from being a vendor of that name, or None."""
    if not (isinstance(loaded, type) and issubclass(loaded, Vendor)):
        return f"is not a subclass of {Vendor.__module__}.{Vendor.__name__}"
    missing = sorted(loaded.__abstractmethods__) + [
        attribute for attribute in ("name", "title", "prefix") if not isinstance(getattr(loaded, attribute, None), str)
    ]
    if missing:
        return f"does not define {', '.join(missing)}"
    if loaded.name != name:
        return f"leads to a vendor that calls itself {loaded.name!r}; the two names must be the same"
    if not loaded.prefix.startswith("/") or loaded.prefix.endswith("/"):
        return f"has the prefix {loaded.prefix!r}; it must begin with a slash and not end with one"
    return None


def _check_apart(vendors: Sequence[type[Vendor]]) -> None:
    """Refuse vendors between which a name or a path could not decide."""
    taken = {"the sandbox's control routes": CONTROL_PREFIX}
    names: set[str] = set()
    for vendor in vendors:
        if vendor.name in names:
            raise ValueError(f"vendors: {vendor.name!r} is the name of two of them")
        names.add(vendor.name)
        for owner, prefix in taken.items():
            if f"{vendor.prefix}/".startswith(f"{prefix}/") or f"{prefix}/".startswith(f"{vendor.prefix}/"):
                raise ValueError(
                    f"vendors: the prefix {vendor.prefix!r} of {vendor.name} overlaps with {prefix!r} of {owner}"
                )
        taken[vendor.name] = vendor.prefix
