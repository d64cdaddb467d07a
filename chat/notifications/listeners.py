"""Which e-mails follow what happened. Promised in the same transaction, sent later, tried again when it fails."""

from __future__ import annotations

import hashlib

from sqlalchemy import select

from chat.accounts.devices import describe
from chat.accounts.events import BrowserAdded, EmailChanged, PasswordChanged, PersonInvited, UserSignedUp
from chat.accounts.models import Invitation, User
from chat.core import clock, ids, jobs
from chat.core.bus import during
from chat.core.database import db
from chat.core.jobs import Job
from chat.core.security_events import SecurityEventKept
from chat.look import site
from chat.notifications import mailer
from chat.notifications.contexts import AccountMail, InvitationMail, WelcomeMail
from chat.rooms.models import Room
from chat.web.urls import absolute, path_for


@during(UserSignedUp)
def promise_welcome(event: UserSignedUp) -> None:
    """Promise a welcome, once per account."""
    jobs.add("welcome_mail", f"welcome:{event.user_id}", {"user": event.user_id})


@jobs.handles("welcome_mail")
def send_welcome(due: jobs.Due) -> None:
    """Send it; to nobody if the account is gone meanwhile."""
    user = db.session.get(User, due.payload["user"])
    if user is not None:
        context = WelcomeMail(site.name(), user.name, absolute(path_for("rooms.index")))
        mailer.send("welcome", user.email, due.key, context)


@during(PersonInvited)
def promise_invitation(event: PersonInvited) -> None:
    """Promise the e-mail that carries an invitation."""
    jobs.add("invitation_mail", f"invitation:{event.invitation_id}", {"id": event.invitation_id, "token": event.token})


@during(PasswordChanged)
def promise_password(event: PasswordChanged) -> None:
    """Promise an e-mail about a changed password, to the present address."""
    _tell(f"password:{ids.new()}", "password", event.told_at)


@during(EmailChanged)
def promise_email(event: EmailChanged) -> None:
    """Promise an e-mail about a changed address, to the former one."""
    _tell(f"email:{ids.new()}", "email", event.told_at)


@during(BrowserAdded)
def promise_browser(event: BrowserAdded) -> None:
    """Promise an e-mail about a new browser, once a day for browsers alike from the same address."""
    device, _ = describe(event.user_agent)
    like = hashlib.sha256(f"{device}\n{event.address}".encode()).hexdigest()[:16]
    _tell_once(event.user_id, f"browser:{event.user_id}:{like}", "browser", device)


@during(SecurityEventKept)
def promise_tries(event: SecurityEventKept) -> None:
    """Promise an e-mail about wrong passwords that were tried for an account, once a day."""
    if event.kind == "sign_in.locked":
        _tell_once(event.user_id, f"tries:{event.user_id}", "tries")


def _tell_once(user_id: str, key: str, what: str, device: str = "") -> None:
    key = f"{key}:{clock.now():%Y-%m-%d}"
    if db.session.execute(select(Job.id).where(Job.key == key)).scalar() is None:
        _tell(key, what, db.session.execute(select(User.email).where(User.id == user_id)).scalar_one(), device)


def _tell(key: str, what: str, to: str, device: str = "") -> None:
    jobs.add("account_mail", key, {"what": what, "to": to, "device": device})


@jobs.handles("account_mail")
def send_account_mail(due: jobs.Due) -> None:
    """Send an e-mail about an account. An attacker chooses no word of it."""
    asked = due.payload
    addresses = [absolute(path_for(name)) for name in ("accounts.password", "accounts.devices")]
    mailer.send("account", asked["to"], due.key, AccountMail(site.name(), asked["what"], asked["device"], *addresses))


@jobs.handles("invitation_mail")
def send_invitation(due: jobs.Due) -> None:
    """Send it."""
    invitation = db.session.get(Invitation, due.payload["id"])
    if invitation is None or invitation.used_by is not None:
        return
    inviter = db.session.get(User, invitation.invited_by)
    room = db.session.get(Room, invitation.room_id) if invitation.room_id else None
    context = InvitationMail(
        site.name(),
        inviter.name if inviter else site.name(),
        room.name if room else "",
        absolute(path_for("accounts.sign_up_form"), invitation=due.payload["token"]),
    )
    mailer.send("invitation", invitation.email, due.key, context)
