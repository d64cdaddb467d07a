"""The stand-in for Resend refuses what Resend refuses, in its words, so that its SDK raises what it would raise."""

import pytest
import requests
import resend
from resend import exceptions
from resend.http_client_requests import RequestsClient

from tests.emulators.running import RESEND_API_KEY, Emulators

MAIL = {"from": "Skerry <hi@skerry.example>", "to": ["ines@example.org"], "subject": "Hello", "text": "Hello."}


@pytest.fixture(autouse=True)
def account(emulators: Emulators, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resend, "api_key", RESEND_API_KEY)
    monkeypatch.setattr(resend, "api_url", emulators.url)
    monkeypatch.setattr(resend, "default_http_client", RequestsClient(timeout=1))


def test_it_sends_the_same_e_mail_once(emulators: Emulators):
    ids = {resend.Emails.send(dict(MAIL), {"idempotency_key": "one"})["id"] for _ in range(3)}
    assert len(ids) == len(emulators.outbox()) == 1
    resend.Emails.send(dict(MAIL), {"idempotency_key": "two"})
    resend.Emails.send(dict(MAIL))
    assert [sent["key"] for sent in emulators.outbox()] == ["one", "two", None]
    (mail_id,) = ids
    assert requests.get(f"{emulators.url}/_outbox/{mail_id}", timeout=5).text == "Hello."


def test_it_refuses_another_e_mail_under_the_same_key():
    resend.Emails.send(dict(MAIL), {"idempotency_key": "one"})
    with pytest.raises(exceptions.ResendError) as refused:
        resend.Emails.send(MAIL | {"text": "Goodbye."}, {"idempotency_key": "one"})
    assert (refused.value.code, refused.value.error_type) == (409, "invalid_idempotent_request")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"to": []}, exceptions.MissingRequiredFieldsError),
        ({"subject": ""}, exceptions.MissingRequiredFieldsError),
        ({"text": ""}, exceptions.MissingRequiredFieldsError),
        ({"from": "Confab <confab@localhost>"}, exceptions.ValidationError),
        ({"to": ["nobody"]}, exceptions.ValidationError),
        ({"subject": "Hello\r\nBcc: eve@example.org"}, exceptions.ValidationError),
    ],
)
def test_it_refuses_what_is_no_e_mail(emulators: Emulators, change: dict[str, object], error: type[Exception]):
    with pytest.raises(error):
        resend.Emails.send(MAIL | change)
    assert emulators.outbox() == []


def test_it_refuses_strangers(emulators: Emulators, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resend, "api_key", "re_wrong")
    with pytest.raises(exceptions.InvalidApiKeyError):
        resend.Emails.send(dict(MAIL))
    assert requests.post(f"{emulators.url}/emails", json=MAIL, timeout=5).json()["name"] == "missing_api_key"
    assert emulators.outbox() == []


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("error", exceptions.ApplicationError, 500),
        ("limited", exceptions.RateLimitError, 429),
        ("unavailable", exceptions.ResendError, 503),
        ("garbage", exceptions.ResendError, 500),
        ("cut", exceptions.ResendError, 500),
        ("hang", exceptions.ResendError, 500),
    ],
)
def test_it_fails_as_asked_and_then_works(emulators: Emulators, kind: str, error: type[Exception], code: int):
    emulators.fail("resend", kind, seconds=1.2)
    with pytest.raises(error) as failed:
        resend.Emails.send(dict(MAIL))
    assert failed.value.code == code
    assert emulators.outbox() == []
    resend.Emails.send(dict(MAIL))
    assert len(emulators.outbox()) == 1


def test_it_loses_an_answer_and_not_the_e_mail(emulators: Emulators):
    emulators.fail("resend", "lost")
    with pytest.raises(exceptions.ResendError):
        resend.Emails.send(dict(MAIL), {"idempotency_key": "one"})
    assert len(emulators.outbox()) == 1
