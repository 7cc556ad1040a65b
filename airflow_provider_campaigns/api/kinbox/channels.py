"""The channels of a Kinbox account: which one has a name, and whether it can send."""

from __future__ import annotations

from typing import Any

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.transport import Transport

CHANNELS = Endpoint("GET", "/v1/channels")


class KinboxChannels:
    """The part of ``KinboxClient`` that knows the account's channels."""

    transport: Transport

    def list_channels(self) -> list[dict[str, Any]]:
        """Return all channels as Kinbox describes them: ``id``, ``description`` (the name), ``isConnected`` ..."""
        answer = self.transport.call(CHANNELS)
        return [{**row, "id": answer.id_of(row, "id", "_id")} for row in answer.array("data")]

    def channel_id(self, name: str) -> str:
        """
        Return the id of the channel that has a name and can send; one request.

        :param name: The channel's description at Kinbox; case and blanks around it do not count.
        :raises InvalidRequest: No channel or several have the name, or the one that has it is banned or not connected.
        """
        channels = self.list_channels()
        found = [row for row in channels if _folded(row.get("description")) == _folded(name)]
        if len(found) != 1:
            ids = ", ".join(row["id"] for row in found)
            known = ", ".join(repr(row.get("description")) for row in channels[:10])
            told = f"{len(found)} channels ({ids}) have" if found else f"No channel has (there are {known})"
            raise InvalidRequest(f"{told} the name {name!r}. Use channel_id, or a name that one channel has.")
        channel = found[0]
        if reading.flag(channel.get("isBanned")):
            raise InvalidRequest(f"Channel {name!r} ({channel['id']}) is banned and cannot send. Choose another.")
        if reading.flag(channel.get("isConnected")) is False:
            raise InvalidRequest(f"Channel {name!r} ({channel['id']}) is not connected. Connect it at Kinbox first.")
        return str(channel["id"])


def _folded(name: Any) -> str:
    return (reading.text(name) or "").strip().casefold()
