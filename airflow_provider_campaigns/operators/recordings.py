"""The operator that keeps the recordings of calls in object storage: Altur's."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.errors import InvalidRequest, NotFound, Rejected, UnreadableAnswer
from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import CAMPAIGN_ID, NAME, ArgumentKind
from airflow_provider_campaigns.exceptions import airflow_errors
from airflow_provider_campaigns.operators.lineage import TellsLineage
from airflow_provider_campaigns.results.files import folder_path

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.altur.client import AlturClient
    from airflow_provider_campaigns.observe.lineage import Movement
    from airflow_provider_campaigns.results.recordings import RecordingsFolder

FOLDER_PATH = ArgumentKind("the path or URI of a folder", folder_path)
#: What can become of a call.
OUTCOMES = ("written", "existing", "without_recording", "refused")
#: So many recordings that were refused are told in the log.
_MOST_TOLD = 20
_CALLS_FOR_EACH_LOG_LINE = 1000


class AlturRecordingsToObjectStorageOperator(TellsLineage, DeclaredArguments, BaseOperator):
    """
    Downloads the recordings of an Altur campaign's calls to a folder in object storage, one file for each call.

    A file is named by the call's id, with an ending by the type that Altur answers (``.wav``, ``.mp3``, or ``.bin`` for
    a type that is not known). It appears under its name when it is complete. A call that has a file there is skipped:
    a retry goes on where the last try ended, and a later run adds what is new. Recordings are downloaded one after
    another, through the worker's temporary folder, each of at most 1 GiB.

    The API key goes to the account's own host alone: a recording that is elsewhere is refused, and so is what is no
    recording, such as a page. The log tells which, and the task goes on. People's voices are in the files: keep the
    folder where those may be. The log and XCom hold no phone number.

    :param campaign_id: The campaign. (templated)
    :param folder: Where to: a path or URI that Airflow's ``ObjectStoragePath`` understands, such as
        ``s3://aws_default@bucket/recordings``. Use the same folder in each run, so that no recording is downloaded
        twice. (templated)
    :param conn_id: A connection of type ``altur``, by default ``altur_default``. (templated)
    :return: ``{"folder": ..., "written": ..., "existing": ..., "without_recording": ..., "refused": ...}``: how many
        calls each goes for, also the extra of the outlets' asset events. A call in progress has no recording yet. With
        ``missing`` where Altur reported more calls than it listed.
    :raises CampaignRequestFailed: Altur could not be asked, refused the API key, or cut a recording off; retried.
    :raises CampaignRequestRefused: Bad input; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        "conn_id": NAME,
        "campaign_id": CAMPAIGN_ID,
        "folder": FOLDER_PATH,
    }
    template_fields: Sequence[str] = ("conn_id", "campaign_id", "folder")
    ui_color = "#e9f5ec"
    has_multiple_outputs = True

    def __init__(self, *, campaign_id: str, folder: str, conn_id: str = "altur_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id
        self.folder = folder
        self.conn_id = conn_id
        self.check_visible_arguments()

    @classmethod
    def text_template_fields(cls) -> Sequence[str]:
        """Return the fields that are text."""
        return cls.template_fields

    def execute(self, context: Context) -> dict[str, Any]:
        """Write the files; return the folder and how many calls have which outcome."""
        from airflow_provider_campaigns.hooks.altur import AlturHook
        from airflow_provider_campaigns.launch.task_run import TaskRun
        from airflow_provider_campaigns.results.recordings import RecordingsFolder

        run = TaskRun.of(context)
        counted: Counter[str] = Counter()
        with airflow_errors(), tempfile.TemporaryFile() as file:
            self.read_all_arguments()
            target = self.argument("folder")
            folder = RecordingsFolder(target, writer=run.key()[:12], try_number=run.try_number)
            client = AlturHook(self.conn_id).get_conn()
            calls = client.list_calls(self.argument("campaign_id"))
            for call in calls:
                counted[self._store(client, folder, call, file, counted["refused"])] += 1
                if counted.total() % _CALLS_FOR_EACH_LOG_LINE == 0:
                    self.log.info("%d calls so far", counted.total())
        told: dict[str, Any] = {"folder": target, **{outcome: counted[outcome] for outcome in OUTCOMES}}
        if calls.missing:
            told["missing"] = calls.missing
            self.log.warning("Altur reports %s calls but listed %s up to its last page.", calls.told, calls.count)
        if counted["refused"]:
            self.log.warning("%d recordings were refused and are not in %s", counted["refused"], target)
        run.tell_outlets(self.outlets, told)
        self.note_moved(lambda: self._moved(target))
        return told

    def _store(
        self, client: AlturClient, folder: RecordingsFolder, call: Mapping[str, Any], file: IO[bytes], refused: int
    ) -> str:
        """Write the recording of a call, unless it is there or cannot be had, and return which of these it was."""
        call_id = reading.identifier(call.get("id")) or ""
        if call_id in folder:
            return "existing"
        url = call.get("recording_url")
        if not url or call.get("status") == "in-progress":
            return "without_recording"
        try:
            folder.check_name(call_id)
            content_type = client.download_recording(url, file)
        except NotFound:
            return "without_recording"
        except (InvalidRequest, Rejected, UnreadableAnswer) as error:
            if refused < _MOST_TOLD:
                self.log.warning("The recording of call %s is left out: %s", call_id, error)
            return "refused"
        folder.put(call_id, content_type, file)
        return "written"

    def _moved(self, folder: str) -> Movement:
        from airflow_provider_campaigns.observe.lineage import Movement, campaign_place, file_place

        vendor, campaign_id = self.vendor_namespace(), str(self.campaign_id)
        return Movement((campaign_place(vendor, campaign_id),), (file_place(folder),), campaign_id, vendor)
