"""What people do with their accounts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.exc import IntegrityError

from chat.accounts import emails, naming, passwords, policy, queries
from chat.accounts.events import (
    BrowserAdded,
    EmailChanged,
    PasswordChanged,
    PersonInvited,
    RoleChanged,
    SessionEnded,
    SiteSetUp,
    UserChanged,
    UserSignedUp,
)
from chat.accounts.models import Invitation, LoginSession, User
from chat.accounts.sessions import LIFE
from chat.core import audit, clock, ids, keys, names, screens
from chat.core.bus import emit, transaction
from chat.core.database import db
from chat.core.errors import Conflict, Invalid, NotFound
from chat.core.log import Meta, take_turns

INVITATION_LIFE = timedelta(days=7)


def set_up(name: str, email: str, password: str) -> str:
    """Make the first account, an administrator, and return its id.

    Two requests at the same time make one account: the fact that the site is set up is a row with a fixed key.

    :raises Conflict: the site is set up already.
    """
    passwords.check(password, name, email)
    password_hash = passwords.hashed(password)
    user_id = ids.new()
    try:
        with transaction():
            if queries.has_administrator():
                raise Conflict("This site is set up already. Sign in, or sign up.")
            db.session.execute(insert(Meta).values(name="set_up_by", value=user_id))
            _add_user(user_id, name, email, password_hash, "administrator")
            emit(SiteSetUp(user_id))
            emit(UserSignedUp(user_id))
    except IntegrityError:
        raise Conflict("This site was set up by somebody else a moment ago. Sign in, or sign up.") from None
    return user_id


def sign_up(name: str, email: str, password: str, registration: str, token: str = "") -> str:
    """Make an account and return its id.

    :param registration: ``open``, ``invite`` or ``closed``.
    :param token: the secret of an invitation, or nothing.
    :raises NotAllowed: registration is not open for this person.
    :raises Invalid: the name, the password, or the e-mail address, cannot be used.
    """
    invitation = queries.invitation_by(token) if token else None
    policy.require_may_sign_up(registration, invitation is not None)
    if invitation is not None:
        policy.require_invited(email, invitation[0].email)
    passwords.check(password, name, email)
    user_id = ids.new()
    screens.require_name("name", name, user_id)
    password_hash = passwords.hashed(password)
    try:
        with transaction():
            _add_user(user_id, name, email, password_hash, "member")
            room_id = _use_invitation(invitation[0].id, user_id) if invitation else None
            emit(UserSignedUp(user_id, room_id, invitation[0].invited_by if invitation else None))
    except IntegrityError:
        sentence = "An account with this address cannot be made. If it is yours, sign in instead."
        raise Invalid(sentence, {"email": sentence}) from None
    return user_id


def add_user(name: str, email: str, password: str, role: str) -> str:
    """Make an account as the operator of the site, and return its id.

    :raises Invalid: the password, the role, or the e-mail address, cannot be used.
    """
    passwords.check(password, name, email)
    password_hash = passwords.hashed(password)
    user_id = ids.new()
    try:
        with transaction():
            _add_user(user_id, name, email, password_hash, role)
            emit(UserSignedUp(user_id))
    except IntegrityError:
        raise Invalid(f"There is an account with the address {email} already, or no role {role}.") from None
    return user_id


def start_session(
    user_id: str, user_agent: str, address: str, replaces: str | None = None, stranger: bool = False
) -> str:
    """Sign a browser in and return the secret for its cookie, which is new every time.

    :param replaces: id of the session that this browser had until now; it ends.
    :param stranger: whether the browser did not know this person.
    """
    secret = ids.secret()
    now = clock.now()
    with transaction():
        # Whoever shuts this person out just now is done before this, or sees the session that it makes.
        queries.lock([user_id])
        if replaces is not None:
            _end(LoginSession.id == replaces, now, why="")
        db.session.execute(
            insert(LoginSession).values(
                id=ids.new(),
                secret_hash=keys.fingerprint(secret),
                user_id=user_id,
                created_at=now,
                last_seen_at=now,
                expires_at=now + LIFE,
                user_agent=user_agent[:300],
                address=address[:45],
            )
        )
        if stranger:
            emit(BrowserAdded(user_id, user_agent[:300], address[:45]))
    return secret


def knows_password(user: User | None, password: str) -> bool:
    """Tell whether a password is somebody's; the time it takes tells nothing.

    :param user: None where there is no such account: the same work is done.
    """
    found = (user.id, user.password_hash) if user else None
    db.session.rollback()  # no connection is held while the hash is made
    if len(password) > 1024 or not passwords.matches(password, found[1] if found else None) or found is None:
        return False
    if passwords.outdated(found[1]):
        password_hash = passwords.hashed(password)
        with transaction():
            unchanged = (User.id == found[0], User.password_hash == found[1])
            db.session.execute(update(User).where(*unchanged).values(password_hash=password_hash))
    return True


def change_role(user_id: str, role: str, actor_id: str | None = None, reason: str = "") -> None:
    """Give somebody another role on the site.

    :param actor_id: None: whoever runs the site, by a command.
    :raises NotFound: there is no such person.
    :raises Conflict: it is the last administrator.
    """
    with transaction():
        take_turns(naming.LOCK)  # of two administrators who demote each other, one stays
        administrators = db.session.execute(select(User.id).where(User.role == "administrator")).scalars().all()
        before = db.session.execute(select(User.role).where(User.id == user_id)).scalar()
        if before is None:
            raise NotFound("There is nobody of that name here.")
        if before == role:
            return
        policy.require_another_administrator(administrators, user_id, role)
        db.session.execute(update(User).where(User.id == user_id).values(role=role))
        if role in naming.STAFF:
            naming.come_first(user_id)
        emit(UserChanged(user_id))
        emit(RoleChanged(user_id, role, reason))
        audit.write(
            "role.changed", actor_id, person_id=user_id, reason=reason, before={"role": before}, after={"role": role}
        )


def change_password(user_id: str, password: str, keep: str | None = None) -> None:
    """Give somebody another password; whoever is signed in with the old one is no longer.

    :param keep: id of the session that stays.
    :raises Invalid: the password cannot be used.
    """
    user = queries.get_user(user_id)
    passwords.check(password, user.name, user.email)
    password_hash = passwords.hashed(password)
    now = clock.now()
    with transaction():
        values = {"password_hash": password_hash, "password_changed_at": now}
        changed = update(User).where(User.id == user_id).values(values).returning(User.email)
        told_at = db.session.execute(changed).scalar_one()
        _end_others(user_id, keep, now)
        emit(PasswordChanged(user_id, told_at))


def change_email(user_id: str, email: str, keep: str | None = None) -> None:
    """Give somebody another e-mail address, and sign them out everywhere else.

    :param email: in its normal form.
    :param keep: id of the session that stays.
    :raises Invalid: it is theirs already, or cannot be used.
    """
    sentence = "This address cannot be used for your account. Choose another one."
    try:
        with transaction():
            queries.lock([user_id])
            before = db.session.execute(select(User.email).where(User.id == user_id)).scalar_one()
            if before == email:
                sentence = "This is your address already."
                raise Invalid(sentence, {"email": sentence})
            db.session.execute(update(User).where(User.id == user_id).values(email=email))
            _end_others(user_id, keep, clock.now())
            emit(EmailChanged(user_id, before))
    except IntegrityError:  # somebody else has it
        raise Invalid(sentence, {"email": sentence}) from None


def end_session(user_id: str, session_id: str, why: str = "session.ended") -> None:
    """Sign one browser of a person out.

    :param why: the kind of the security event.
    :raises NotFound: it is not signed in, or somebody else's.
    """
    with transaction():
        if not _end((LoginSession.id == session_id) & (LoginSession.user_id == user_id), clock.now(), why):
            raise NotFound("This device is signed out already.")


def end_other_sessions(user_id: str, current_id: str) -> int:
    """Sign out every browser of a person but this one; return how many."""
    with transaction():
        return _end_others(user_id, current_id, clock.now())


def bar(user_id: str, until: datetime | None) -> None:
    """Shut somebody out until a moment, inside ``transaction()``: whoever is signed in is no longer; None lets them in again.

    They can sign in all the same, to see why.
    """
    db.session.execute(update(User).where(User.id == user_id).values(barred_until=until))
    if until is not None:
        _end(LoginSession.user_id == user_id, clock.now())
    emit(UserChanged(user_id))


def mute(user_id: str, until: datetime | None) -> None:
    """Mute a person everywhere until a moment, inside ``transaction()``; None ends it."""
    db.session.execute(update(User).where(User.id == user_id).values(muted_until=until))


def require_may_publish(user_id: str) -> None:
    """Refuse publishing by a person who is muted everywhere.

    Inside the writer's ``transaction()``, where its lock puts a mute at the same time before or after what is written.

    :raises NotAllowed: they are.
    """
    with transaction():
        queries.lock([user_id])
        until = db.session.execute(select(User.muted_until).where(User.id == user_id)).scalar()
        policy.require_may_publish(until, clock.now())


def end_sessions(session_ids: Collection[str]) -> int:
    """Sign some browsers out, inside ``transaction()``; return how many were signed in."""
    return _end(LoginSession.id.in_(sorted(session_ids)), clock.now())


def change_profile(user_id: str, name: str, status: str, theme: str) -> None:
    """Save somebody's name, status and look.

    :raises Invalid: a rule does not have the name, or the status; or the name looks like that of somebody who runs the site.
    :raises NotAllowed: name or status changes, and they are muted.
    """
    screens.require_name("name", name, user_id)
    screens.require_name("status", status, user_id)
    with transaction():
        now = db.session.execute(select(User.name, User.status).where(User.id == user_id)).one_or_none()
        if now is not None and (names.plain(now.name, user_id), now.status) != (names.plain(name, user_id), status):
            require_may_publish(user_id)
        db.session.execute(
            update(User).where(User.id == user_id).values(status=status, theme=theme, **naming.named(user_id, name))
        )
        emit(UserChanged(user_id))


def change_picture(user_id: str, picture_id: str | None) -> str | None:
    """Give somebody another picture, or none; return the id of the one before.

    :raises NotAllowed: they are muted.
    """
    with transaction():
        before = db.session.execute(select(User.picture_id).where(User.id == user_id)).scalar()
        if picture_id is not None:
            require_may_publish(user_id)
        db.session.execute(update(User).where(User.id == user_id).values(picture_id=picture_id))
        emit(UserChanged(user_id))
    return before


def invite(email: str, invited_by: str, room_id: str | None) -> None:
    """Invite somebody who has no account; an e-mail follows.

    :raises NotAllowed: whoever invites is muted.
    """
    token = ids.secret()
    now = clock.now()
    with transaction():
        require_may_publish(invited_by)
        invitation_id = ids.new()
        db.session.execute(
            insert(Invitation).values(
                id=invitation_id,
                secret_hash=keys.fingerprint(token),
                email=emails.normal(email),
                invited_by=invited_by,
                room_id=room_id,
                created_at=now,
                expires_at=now + INVITATION_LIFE,
            )
        )
        emit(PersonInvited(invitation_id, token))


def _add_user(user_id: str, name: str, email: str, password_hash: str, role: str) -> None:
    values = {
        "id": user_id,
        "email": emails.normal(email),
        "password_hash": password_hash,
        "role": role,
    }
    values |= naming.named(user_id, name)
    db.session.execute(insert(User).values(status="", theme="auto", created_at=clock.now(), **values))


def _use_invitation(invitation_id: str, user_id: str) -> str | None:
    """Use an invitation up and return the room it leads to; of two at the same time one wins."""
    statement = (
        update(Invitation)
        .where(Invitation.id == invitation_id, Invitation.used_by.is_(None))
        .values(used_by=user_id)
        .returning(Invitation.room_id)
    )
    row = db.session.execute(statement).one_or_none()
    if row is None:
        raise Conflict("This invitation was used a moment ago. Ask for another one.")
    room_id: str | None = row[0]
    return room_id


def _end_others(user_id: str, keep: str | None, now: datetime) -> int:
    mine = LoginSession.user_id == user_id
    return _end(mine if keep is None else mine & (LoginSession.id != keep), now)


def _end(which: ColumnElement[bool], now: datetime, why: str = "session.ended") -> int:
    # People before their sessions, as everywhere: in another order two who end the same ones wait for each other.
    queries.lock(
        db.session.execute(select(LoginSession.user_id).where(which, LoginSession.revoked_at.is_(None))).scalars()
    )
    statement = update(LoginSession).where(which, LoginSession.revoked_at.is_(None)).values(revoked_at=now)
    ended = db.session.execute(statement.returning(LoginSession.id, LoginSession.user_id)).all()
    # People end their own sessions, so this is when they were last here; nobody hears of them after it.
    people = {user_id for _, user_id in ended}
    db.session.execute(update(User).where(User.id.in_(sorted(people))).values(last_seen_at=now))
    for session_id, user_id in ended:
        emit(SessionEnded(user_id, session_id, why))
    return len(ended)
