"""Access to Kore.ai's public API: where its endpoints are, how a request is signed, and what a refusal means."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api import errors, reading
from airflow_provider_campaigns.api.answers import Answer, Refusal, meaning_of
from airflow_provider_campaigns.api.endpoints import Effect, Endpoint, Safety
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.header_auth import header_auth
from airflow_provider_campaigns.api.limits import Account, Rate
from airflow_provider_campaigns.api.options import ClientOptions
from airflow_provider_campaigns.api.transport import Transport

if TYPE_CHECKING:
    pass

VENDOR = "Kore.ai"
DEFAULT_BASE_URL = "https://platform.kore.ai"
API_VERSIONS = ("v1", "v2")
#: Documented are 60 requests a minute for an account, over all of its programs; ten are left to the others.
DEFAULT_RATE = Rate(50, 60.0)
#: A refusal for too many requests says to wait "for sometime", until the minute has passed, and no more.
LIMIT_WINDOW_SECONDS = 60.0
TOKEN_SECONDS = 300
#: A vendor whose clock runs a little behind must not find the token issued in its future.
CLOCK_SKEW_SECONDS = 5

Versions = Mapping[str, Endpoint]


def in_both_versions(
    method: str,
    path: str,
    safety: Safety = Safety.REPEATABLE,
    *,
    recipients: bool = False,
    effect: Effect | None = None,
) -> Versions:
    """Return an endpoint under the documented prefix of each API version."""
    return {
        "v1": Endpoint(method, f"/agentassist/api/v1/public/{{app_id}}/campaign{path}", safety, recipients, effect),
        "v2": Endpoint(method, f"/campaign/api/v2/public/{{app_id}}/campaign{path}", safety, recipients, effect),
    }


def in_any_version(endpoint: Endpoint) -> Versions:
    """Return an endpoint that has but one usable path, whichever version the client was set to."""
    return dict.fromkeys(API_VERSIONS, endpoint)


# ``client_secret`` is the key as it is shown, not decoded, although it looks like Base64.
# https://docs.kore.ai/ai-for-service/apis/automation/api-introduction
@dataclass(frozen=True, slots=True)
class Signer:
    """
    Signs each HTTP attempt with a token of its own.

    :param client_id: The JWT app's client id (``cs-...``).
    :param client_secret: Its secret.
    :param headers: What else goes with every request: the application's and the account's id.
    :param use_jti: Whether the token carries an id, which makes the vendor refuse its second use.
    """

    client_id: str
    client_secret: str = field(repr=False)
    headers: Mapping[str, str]
    use_jti: bool = True

    def claims(self, now: float) -> dict[str, Any]:
        """Return what a token signed at this moment (Unix time, seconds) says."""
        claims: dict[str, Any] = {
            "appId": self.client_id,
            "sub": "airflow-provider-campaigns",
            "iat": int(now) - CLOCK_SKEW_SECONDS,
            "exp": int(now) + TOKEN_SECONDS,
        }
        if self.use_jti:
            claims["jti"] = str(uuid.uuid4())
        return claims

    def signed_headers(self) -> dict[str, str]:
        """Return the headers of one attempt, with a token of its own."""
        import jwt

        token = jwt.encode(self.claims(time.time()), self.client_secret, algorithm="HS256")
        return {**self.headers, "auth": token}


_FAILURE_WORDS = ("error", "failure", "failed")
_MISSING = re.compile(r"not found|not exist|n't exist", re.IGNORECASE)
_TAKEN = re.compile(r"exist|duplicate", re.IGNORECASE)
_SCOPE = re.compile(r"scope|permission", re.IGNORECASE)
_THROTTLED = re.compile(
    r"exceeded the per-minute rate limit|rate limit (for this API )?(has been |was )?(exceeded|reached)",
    re.IGNORECASE,
)


def is_trigger(endpoint: Endpoint) -> bool:
    """Whether an endpoint starts or stops: its answer's ``status`` is a campaign's state, not success or failure."""
    return endpoint.method == "POST" and endpoint.path.endswith("/campaign/{campaign_id}")


def is_creation(endpoint: Endpoint) -> bool:
    """Whether an endpoint creates a campaign or a contact list."""
    return endpoint.method == "POST" and endpoint.path.endswith(("/campaign", "/createContactList"))


def failure_word(data: Any) -> str | None:
    """Return the word by which a body reports a failure, or None."""
    word = reading.text(reading.mapping(data).get("status"))
    return word if word and word.lower() in _FAILURE_WORDS else None


def words_of(data: Any, text: str = "") -> tuple[str, str | None]:
    """
    Return what a refusal says, and its code, from whichever of the known forms it has.

    :param data: The parsed body, or None.
    :param text: The body where it was not JSON.
    """
    body = reading.mapping(data)
    listed = body.get("errors")
    for item in (listed[0] if isinstance(listed, list) and listed else listed, body, body.get("error")):
        if isinstance(item, str) and item:
            return item, None
        if isinstance(item, dict):
            said = reading.first(item, "msg", "message")
            said = "; ".join(map(str, said)) if isinstance(said, list) else reading.text(said)
            if said:
                return said, reading.text(item.get("code"))
    if isinstance(data, str):
        return data, None
    if text.lstrip().startswith("<"):
        return "an HTML page instead of an answer", None
    return text, None


def diagnose(answer: Answer) -> Refusal | None:
    """
    Return what is wrong with an answer, or None for a success.

    None of this is documented for campaigns; it follows the vendor's other services. The codes in bodies mix HTTP
    statuses with numbers of the vendor's own and decide nothing.
    """
    said, code = words_of(answer.data, answer.text)
    body = reading.mapping(answer.data)
    if answer.status < 300:
        throttled = "data" not in body and _THROTTLED.search(said)
        failed = failure_word(body) and not is_trigger(answer.endpoint)
        if not throttled and not failed and ("data" in body or not body.get("errors")):
            return None
    # A campaign's name may hold any words, and a 5xx may have taken effect: there only the documented sentences count.
    if answer.status == 429 or (
        "rate limit" in said.lower() if 400 <= answer.status < 500 else _THROTTLED.search(said)
    ):
        return Refusal(errors.RateLimited, said, code)
    return Refusal(_meaning(answer, said), said, code)


def _meaning(answer: Answer, said: str) -> type[errors.CampaignAPIError]:
    meaning = meaning_of(answer.status)
    if meaning is errors.AuthenticationFailed and _SCOPE.search(said):
        return errors.PermissionDenied
    if meaning is not errors.Rejected:
        return meaning
    if _MISSING.search(said):
        return errors.NotFound
    if is_trigger(answer.endpoint) or (is_creation(answer.endpoint) and _TAKEN.search(said)):
        return errors.Conflict
    return errors.Rejected


_ADVICE: Mapping[type[errors.CampaignAPIError], str] = {
    errors.AuthenticationFailed: (
        "Check the client id (login), the client secret (password), app_id and account_id, and that the app is "
        "published."
    ),
    errors.PermissionDenied: "Give the JWT app the scope 'Campaign Management' in API Scope and publish the app.",
    errors.NotFound: "Check the id or the name, and that it belongs to this app and account.",
}


class KoreAIAccess:
    """
    One application of one account, and the signed way to it.

    :param client_id: The JWT app's client id (``cs-...``).
    :param client_secret: Its secret, as it is shown.
    :param app_id: The application (``st-...``), in the vendor's pages ``IID`` or ``streamId``.
    :param account_id: The account; the rate limit is counted by it.
    :param api_version: ``v1`` or ``v2``.
    :param use_jti: Whether each token carries an id, which some apps enforce.
    :param account_id_in_query: Whether v1's addresses carry the account's id, which older pages ask for.
    :param options: The options of :class:`~airflow_provider_campaigns.api.options.ClientOptions` by name.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        app_id: str,
        account_id: str,
        api_version: str,
        use_jti: bool,
        account_id_in_query: bool,
        options: ClientOptions,
    ) -> None:
        for name, value in (
            ("client_id", client_id),
            ("client_secret", client_secret),
            ("app_id", app_id),
            ("account_id", account_id),
        ):
            if not isinstance(value, str) or not value.strip():
                raise InvalidRequest(f"{name} must be given for Kore.ai ({options.label}).")
            if name != "client_secret" and not (value.isascii() and value.isprintable() and " " not in value):
                raise InvalidRequest(f"{name} must be a single word of plain characters ({options.label}).")
        if api_version not in API_VERSIONS:
            raise InvalidRequest(
                f"api_version must be one of {', '.join(API_VERSIONS)}; got {str(api_version)[:20]!r}."
            )
        self.app_id = app_id
        self.account_id = account_id
        self.api_version = api_version
        self._account_id_in_query = account_id_in_query
        signer = Signer(client_id, client_secret, {"iid": app_id, "accountId": account_id}, use_jti)
        self.transport = Transport(
            account=Account(VENDOR, account_id, options.label),
            base_url=options.url(DEFAULT_BASE_URL),
            auth=header_auth(signer.signed_headers),
            diagnose=diagnose,
            rate=options.rate(DEFAULT_RATE),
            limit_window=LIMIT_WINDOW_SECONDS,
            options=options,
            secrets=(client_secret,),
            credential_advice=_ADVICE,
        )

    def _call(
        self,
        versions: Versions,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Answer:
        endpoint = versions[self.api_version]
        query = dict(query or {})
        asked_for = "/api/v2/" in endpoint.path and not endpoint.path.endswith("/schedule")
        if asked_for or (self._account_id_in_query and "/api/v2/" not in endpoint.path):
            query["accountId"] = self.account_id
        return self.transport.call(endpoint, path={"app_id": self.app_id, **(path or {})}, query=query, body=body)
