"""Whether a vendor's figures can ever answer what a wait asks of them. Pure."""

from __future__ import annotations

from collections.abc import Collection

from airflow_provider_campaigns.wait.decisions import DELIVERED_OF, FAILED_OF, Gates

#: The pairs of figures that answer each of a wait's gates.
FIGURES_OF = {"min_delivered_ratio": DELIVERED_OF, "max_failed_ratio": FAILED_OF, "brake": FAILED_OF}


def unanswerable(gates: Gates, counted: Collection[str]) -> list[str]:
    """
    Return what is wrong with gates that a vendor's figures can never answer, a sentence for each; empty if nothing.

    :param gates: The gates of a wait.
    :param counted: The names that the vendor counts: ``CampaignClient.answers(**kind)``.
    """
    return [
        f"{name} can never be judged: the vendor gives no figures for "
        f"{' or '.join(f'{part} of {whole}' for part, whole in pairs)}."
        for name, pairs in FIGURES_OF.items()
        if getattr(gates, name) is not None and not any(part in counted and whole in counted for part, whole in pairs)
    ]
