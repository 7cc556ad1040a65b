"""What a vendor itself answers: to bad credentials, unknown paths, unreadable bodies, and one request too many."""

from __future__ import annotations

import pytest
from post_office import LimitedVendor, create, created, eventually, get, last

from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.mark.parametrize("authorization", [None, "", "Bearer ", "token", "Basic token", "Bearer invalid"])
def test_a_missing_or_invalid_credential_gets_the_vendors_401(sandbox, session, authorization):
    session.headers["Authorization"] = authorization
    answer = create(sandbox, session)
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert (created(sandbox), last(sandbox)["effect"]) == (0, False)


def test_an_unknown_path_or_method_gets_the_vendors_404(sandbox, session):
    assert get(sandbox, session, "/nothing").json() == {"message": "Cannot GET /post/v1/nothing"}
    assert session.delete(sandbox.base_url("post") + "/campaigns", timeout=5).status_code == 404
    assert sandbox.journal()["counts"] == {"post": {"unmatched": 2}}


@pytest.mark.parametrize("body", ["{", "[]", ""])
def test_a_body_that_is_no_object_gets_the_vendors_400(sandbox, session, body):
    answer = session.post(sandbox.base_url("post") + "/campaigns", data=body, timeout=5)
    assert (answer.status_code, list(answer.json())) == (400, ["message"])


def test_a_bug_in_a_handler_is_a_500_that_says_so(sandbox, session):
    answer = get(sandbox, session, "/broken")
    assert (answer.status_code, "KeyError" in answer.text, last(sandbox)["status"]) == (500, True, 500)


def test_the_limit_holds_for_each_credential_and_for_its_window(session):
    with Sandbox(vendors=[LimitedVendor]) as sandbox:
        assert [create(sandbox, session).status_code for _ in range(4)] == [201, 201, 201, 429]
        assert create(sandbox, session).json() == {"detail": "Wait 1 seconds"}
        assert create(sandbox, session, headers={"Authorization": "Bearer other"}).status_code == 201
        assert created(sandbox) == 4
        assert eventually(lambda: create(sandbox, session).status_code == 201)


def test_the_limit_can_be_left_out(session):
    with Sandbox(vendors=[LimitedVendor], enforce_limits=False) as sandbox:
        assert {create(sandbox, session).status_code for _ in range(10)} == {201}
