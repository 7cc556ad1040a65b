"""What operators tell OpenLineage, where that is installed and set up: which data a task moved from where to where."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_campaigns.launch.task_run import TaskRun
    from airflow_provider_campaigns.observe.lineage import DataPlace, Movement


def somebody_asks() -> bool:
    """Whether OpenLineage is installed and set up in this process; Airflow has loaded it then, as a plugin."""
    conf = sys.modules.get("airflow.providers.openlineage.conf")
    return conf is not None and not conf.is_disabled()


class TellsLineage:
    """
    Tells OpenLineage what a task moved.

    The task notes it while it runs: OpenLineage asks in a copy of the task's process, where Airflow cannot be asked for
    a connection or an XCom without harm to the task itself.
    """

    if TYPE_CHECKING:
        log: Any
        conn_id: str

    _movement: Movement | None = None

    def note_moved(self, movement: Callable[[], Movement]) -> None:
        """
        Note what the task has moved so far, if anybody asks for it; best effort.

        :param movement: Returns it.
        """
        try:
            if somebody_asks():
                self._movement = movement()
        except Exception as error:
            # What a task has done is not undone because its lineage is not known.
            self.log.warning("The lineage of this task cannot be told: %s: %s", type(error).__name__, error)

    def vendor_namespace(self) -> str:
        """Return the namespace of the vendor of the task's connection, which is read for it."""
        from airflow_provider_campaigns.hooks.campaign import CampaignHook
        from airflow_provider_campaigns.observe import lineage

        hook = CampaignHook.of_connection(self.conn_id)
        return lineage.vendor_namespace(hook.conn_type, hook.get_conn().transport.base_url)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Return what the task moved, as OpenLineage's provider takes it; None where nothing was noted."""
        from airflow_provider_campaigns.observe.lineage import facets_of

        return facets_of(self._movement) if self._movement else None

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Return what the task moved before it failed; Airflow adds the error."""
        return self.get_openlineage_facets_on_complete(task_instance)


class TellsLaunch(TellsLineage):
    """Tells OpenLineage of a launch: from the contacts to the campaign."""

    def contact_places(self, namespace: str) -> tuple[DataPlace, ...]:
        """
        Return where the contacts come from, as far as they are files or lists with a name.

        :param namespace: The vendor's.
        """
        return ()

    def hand_out(self, run: TaskRun, receipt: Mapping[str, Any]) -> None:
        """Also note what was launched."""
        super().hand_out(run, receipt)  # type: ignore[misc]
        self.note_moved(lambda: self._launched(receipt))

    def _launched(self, receipt: Mapping[str, Any]) -> Movement:
        from airflow_provider_campaigns.observe.lineage import Movement, campaign_place, taken_rows

        vendor, campaign_id = self.vendor_namespace(), str(receipt["id"])
        place = campaign_place(vendor, campaign_id, taken_rows(receipt))
        return Movement(self.contact_places(vendor), (place,), campaign_id, vendor)
