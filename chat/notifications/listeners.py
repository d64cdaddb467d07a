"""Which e-mails follow what happened. Promised in the same transaction, sent later, tried again when it fails."""

from __future__ import annotations

from chat import jobs
from chat.accounts.events import PersonInvited, UserSignedUp
from chat.accounts.models import Invitation, User
from chat.bus import during
from chat.database import db
from chat.look import site
from chat.notifications import mailer
from chat.notifications.contexts import InvitationMail, WelcomeMail
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
