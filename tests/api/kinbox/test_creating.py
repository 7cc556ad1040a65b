"""Kinbox's client against the sandbox: creating campaigns, and the credential."""

from __future__ import annotations

import datetime
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from at_kinbox import LABEL, LOST, TOKEN, Campaigns, Requests, _serve_once
from wire import Server, resets, says

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.kinbox.fields import CREATE_FIELDS
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.sandbox.server import Sandbox


class TestCreate:
    def test_a_campaign_is_created_with_one_request_and_is_scheduled(
        self, client: KinboxClient, requests_of: Requests, campaigns: Campaigns
    ) -> None:
        created = client.create_campaign(name="Natal", channel_id=103, chunk_size=50)
        assert created.status is CampaignStatus.SCHEDULED
        assert created.name == "Natal"
        assert [campaign["id"] for campaign in campaigns()] == [created.id]
        assert requests_of() == {"create_campaign": 1}

    @pytest.mark.parametrize("version", ["v1", "v3"])
    def test_the_version_that_creates_is_an_option(
        self, connect: Callable[..., KinboxClient], campaign_sandbox: Sandbox, version: str
    ) -> None:
        connect(create_api_version=version).create_campaign(name="Natal")
        assert campaign_sandbox.journal("kinbox")["requests"][-1]["path"] == f"/kinbox/{version}/campaigns"

    def test_v3_creates_unless_told_otherwise(self, client: KinboxClient, campaign_sandbox: Sandbox) -> None:
        client.create_campaign(name="Natal")
        assert campaign_sandbox.journal("kinbox")["requests"][-1]["path"] == "/kinbox/v3/campaigns"

    def test_where_the_host_has_no_v3_v1_creates_and_is_told_of(
        self, connect: Callable[..., KinboxClient], serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
    ) -> None:
        missing = says(404, {"statusCode": 404, "message": "Cannot POST /v3/campaigns", "error": "Not Found"})
        host = serve(missing, *(says(201, {"id": number, "name": "Natal"}) for number in ("a1", "a2")))
        client = connect(base_url=host.url)
        assert [client.create_campaign(name="Natal").id for _ in range(2)] == ["a1", "a2"]
        assert [request.target for request in host.requests] == ["/v3/campaigns", "/v1/campaigns", "/v1/campaigns"]
        assert len({request.body for request in host.requests}) == 1
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert f"Set create_api_version of {LABEL} to v1" in caplog.text

    @pytest.mark.parametrize(
        "answer",
        [says(400, {"message": "no"}), says(500), says(403, {"message": "no"}), resets],
        ids=["400", "500", "403", "lost"],
    )
    def test_only_a_404_lets_v1_be_tried(
        self, connect: Callable[..., KinboxClient], serve: Callable[..., Server], answer: Any
    ) -> None:
        host = serve(answer)
        with pytest.raises(errors.CampaignAPIError):
            connect(base_url=host.url).create_campaign(name="Natal")
        assert [request.target for request in host.requests] == ["/v3/campaigns"]

    def test_a_host_that_has_neither_version_is_named_and_nothing_is_remembered(
        self, connect: Callable[..., KinboxClient], serve: Callable[..., Server]
    ) -> None:
        missing = [says(404, {"message": f"Cannot POST /{version}/campaigns"}) for version in ("v3", "v1")]
        host = serve(*missing, says(201, {"id": "a1", "name": "Natal"}))
        client = connect(base_url=host.url)
        with pytest.raises(errors.Rejected, match="this host has no such path"):
            client.create_campaign(name="Natal")
        client.create_campaign(name="Natal")
        assert host.requests[-1].target == "/v3/campaigns"

    def test_a_filter_that_the_host_lacks_says_what_has_filters(
        self, connect: Callable[..., KinboxClient], serve: Callable[..., Server]
    ) -> None:
        host = serve(says(404, {"message": "Cannot GET /v3/campaigns"}))
        with pytest.raises(errors.Rejected, match="v3, which alone filters lists"):
            list(connect(base_url=host.url).list_campaigns(name="Natal"))

    @pytest.mark.parametrize("version", ["v1", "v3"])
    def test_every_field_arrives_under_the_vendors_name(
        self, connect: Callable[..., KinboxClient], version: str
    ) -> None:
        start = datetime.datetime(2030, 12, 1, 9, tzinfo=datetime.timezone(datetime.timedelta(hours=-3)))
        created = connect(create_api_version=version).create_campaign(
            name="Natal",
            channel_id=103,
            channel_ids=[103, "104"],
            operator_name="Maria",
            business_hours_id="66e2f1c9a1b2c3d4e5f60001",
            channel_type=1,
            lead_type="file",
            normalize_brazil_phone_numbers=False,
            scheduled_to=start,
            original_scheduled_to="2030-12-01T12:00:00Z",
            finished_at_prediction="2030-12-01T13:00:00+00:00",
            leads_asset_url="https://files.example.com/leads.csv",
            message="Olá",
            text_raw="Olá",
            assets_urls=["https://files.example.com/a.png"],
            chunks_count=3,
            seconds_between_messages=0,
            seconds_between_chunks=60,
            chunk_size=50,
            template={"id": "7", "name": "aviso"},
        )
        sent = {
            "name": "Natal",
            "channelId": "103",
            "channelIds": ["103", "104"],
            "operatorName": "Maria",
            "businessHoursId": "66e2f1c9a1b2c3d4e5f60001",
            "channelType": "1",
            "leadType": "file",
            "normalizeBrazilPhoneNumbers": False,
            "scheduledTo": "2030-12-01T12:00:00.000Z",
            "originalScheduledTo": "2030-12-01T12:00:00.000Z",
            "finishedAtPrediction": "2030-12-01T13:00:00.000Z",
            "leadsAssetUrl": "https://files.example.com/leads.csv",
            "message": "Olá",
            "textRaw": "Olá",
            "assetsUrls": ["https://files.example.com/a.png"],
            "chunksCount": 3,
            "secondsBetweenMessages": 0,
            "secondsBetweenChunks": 60,
            "chunkSize": 50,
            "template": {"id": "7", "name": "aviso"},
        }
        assert sent.items() <= dict(created.raw).items()
        assert len(sent) == len(CREATE_FIELDS)

    @pytest.mark.parametrize("effect", [True, False])
    @pytest.mark.parametrize("kind", [kind for kind in LOST if kind != "slow"])
    def test_a_lost_answer_leaves_the_outcome_open_and_is_never_repeated(
        self,
        client: KinboxClient,
        campaign_sandbox: Sandbox,
        requests_of: Requests,
        campaigns: Campaigns,
        kind: str,
        effect: bool,
    ) -> None:
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="create_campaign", effect=effect, **LOST[kind])
        with pytest.raises(errors.OutcomeUnknown):
            client.create_campaign(name="Natal")
        assert requests_of() == {"create_campaign": 1}
        assert len(campaigns()) == (1 if effect else 0)

    @pytest.mark.parametrize("effect", [True, False])
    @pytest.mark.parametrize("patience", [0.5])
    def test_a_vendor_that_creates_after_the_client_gave_up_is_never_asked_again(
        self,
        client: KinboxClient,
        campaign_sandbox: Sandbox,
        requests_of: Requests,
        campaigns: Campaigns,
        effect: bool,
    ) -> None:
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="create_campaign", effect=effect, **LOST["slow"])
        with pytest.raises(errors.OutcomeUnknown):
            client.create_campaign(name="Natal")
        give_up = time.monotonic() + 5
        while not campaigns() and time.monotonic() < give_up:
            time.sleep(0.05)
        assert len(campaigns()) == 1
        assert requests_of() == {"create_campaign": 1}

    def test_an_answer_without_an_id_leaves_the_outcome_open(self) -> None:
        answers = _serve_once(b'{"name": "Natal"}')
        with KinboxClient(TOKEN, base_url=answers) as client, pytest.raises(errors.OutcomeUnknown, match="id"):
            client.create_campaign(name="Natal")

    def test_a_refusal_for_too_many_requests_is_sent_again_since_nothing_was_processed(
        self, client: KinboxClient, campaign_sandbox: Sandbox, requests_of: Requests, campaigns: Campaigns
    ) -> None:
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="create_campaign", kind="rate_limited")
        client.create_campaign(name="Natal")
        assert requests_of() == {"create_campaign": 2}
        assert len(campaigns()) == 1

    def test_a_vendor_that_cannot_be_reached_leaves_nothing_open(self, connect: Callable[..., KinboxClient]) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        with pytest.raises(errors.Unavailable) as caught:
            connect(base_url=f"http://127.0.0.1:{port}").create_campaign(name="Natal")
        assert caught.value.never_sent

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"name": ""}, "name"),
            ({"name": None}, "name"),
            ({"channel_type": "10"}, "channel_type"),
            ({"channel_type": "whatsapp"}, "channel_type"),
            ({"lead_type": "conversation"}, "lead_type"),
            ({"scheduled_to": datetime.datetime(2030, 1, 1)}, "scheduled_to"),  # noqa: DTZ001
            ({"scheduled_to": "2030-01-01T00:00:00"}, "scheduled_to"),
            ({"original_scheduled_to": "tomorrow"}, "original_scheduled_to"),
            ({"leads_asset_url": "ftp://files.example.com/leads.csv"}, "leads_asset_url"),
            ({"leads_asset_url": "leads.csv"}, "leads_asset_url"),
            ({"chunk_size": 0}, "chunk_size"),
            ({"chunks_count": -1}, "chunks_count"),
            ({"seconds_between_messages": 1.5}, "seconds_between_messages"),
            ({"seconds_between_chunks": True}, "seconds_between_chunks"),
            ({"channel_ids": "103"}, "channel_ids"),
            ({"template": "aviso"}, "template"),
            ({"normalize_brazil_phone_numbers": "perhaps"}, "normalize_brazil_phone_numbers"),
            ({"extra_fields": {"channelId": "1"}}, "channelId"),
            ({"extra_fields": "status"}, "extra_fields"),
        ],
    )
    def test_bad_input_is_refused_by_name_before_anything_is_sent(
        self, client: KinboxClient, requests_of: Requests, fields: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=named):
            client.create_campaign(**{"name": "Natal", **fields})
        assert requests_of() == {}

    def test_what_the_vendor_refuses_is_told_in_its_words(self, client: KinboxClient, campaigns: Campaigns) -> None:
        with pytest.raises(errors.Rejected, match="property trackMaxHours should not exist"):
            client.create_campaign(name="Natal", extra_fields={"trackMaxHours": 12})
        assert campaigns() == []


class TestCredentials:
    def test_a_refused_token_is_told_by_the_connections_name(self, connect: Callable[..., KinboxClient]) -> None:
        with pytest.raises(errors.AuthenticationFailed, match="connection 'kinbox_default'") as caught:
            connect("invalid").check()
        assert "invalid" not in str(caught.value)

    def test_a_refused_token_is_not_tried_again(
        self, connect: Callable[..., KinboxClient], requests_of: Requests
    ) -> None:
        with pytest.raises(errors.AuthenticationFailed):
            connect("invalid").create_campaign(name="Natal")
        assert requests_of() == {"create_campaign": 1}

    def test_a_missing_right_names_the_send_scope(self, client: KinboxClient, campaign_sandbox: Sandbox) -> None:
        campaign_sandbox.order_fault(vendor="kinbox", kind="error", status=403)
        with pytest.raises(errors.PermissionDenied, match="'send' scope"):
            client.create_campaign(name="Natal")

    @pytest.mark.parametrize("token", ["", "  ", "Bearer abc", "a\nb", "é", None])
    def test_what_is_no_token_is_refused_unseen(self, token: Any) -> None:
        with pytest.raises(errors.InvalidRequest, match=LABEL) as caught:
            KinboxClient(token, label=LABEL)
        assert "abc" not in str(caught.value)

    @pytest.mark.parametrize(
        "options",
        [
            {"create_api_version": "v2"},
            {"timeout": 0},
            {"rate_limit": 0},
            {"base_url": "http://kinbox.example.com"},
        ],
    )
    def test_an_option_that_cannot_work_is_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(errors.InvalidRequest):
            KinboxClient(TOKEN, **options)

    def test_the_check_says_what_it_found_with_one_request(self, client: KinboxClient, requests_of: Requests) -> None:
        assert "no campaign yet" in client.check()
        client.create_campaign(name="Natal")
        assert "has campaigns" in client.check()
        assert requests_of() == {"list_campaigns": 2, "create_campaign": 1}


class TestShape:
    def test_importing_the_client_loads_no_http_library(self) -> None:
        heavy = "('airflow', 'requests', 'jwt', 'pyrate_limiter', 'starlette', 'tenacity')"
        code = (
            f"import sys, airflow_provider_campaigns.api.kinbox.client; print([m for m in {heavy} if m in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"
