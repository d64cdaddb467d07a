"""Signing up, in and out; one's profile and devices; the people there are."""

from __future__ import annotations

import hmac
from dataclasses import replace

from flask import Blueprint, Response, current_app, redirect, request
from werkzeug.datastructures import FileStorage

from chat import pictures
from chat.accounts import browsers, emails, guards, passwords, queries, service
from chat.accounts.contexts import (
    DevicesPage,
    EmailPage,
    EndOthersPage,
    PasswordPage,
    ProfilePage,
    SignInPage,
    SignUpPage,
    ViewerStyle,
)
from chat.accounts.forms import EmailForm, PasswordForm, ProfileForm, SignInForm, SignUpForm
from chat.accounts.guards import signed_in, viewer
from chat.accounts.models import User
from chat.accounts.sessions import Viewer
from chat.accounts.tries import TOO_MANY, Tries
from chat.core import keys, names, security_events
from chat.core.errors import ChatError, Invalid, NotAllowed, NotFound, TooFast, check_all
from chat.web import forms, rate_limits, security, unsent
from chat.web.htmx import see_other
from chat.web.static import YEAR
from chat.web.templating import render_fragment, render_page
from chat.web.urls import path_for, safe_next

blueprint = Blueprint("accounts", __name__)

_OUTDATED = "This page had grown old, so nothing was done. Enter your password once more."


# -- the first account


def setup_token() -> str:
    """Return the secret of the set-up link: known to whoever reads the console or holds SECRET_KEY."""
    return keys.seal(keys.derive("set-up"), "first account")


def _require_setup(token: str) -> None:
    if queries.has_administrator() or not hmac.compare_digest(token.encode("utf-8", "replace"), setup_token().encode()):
        security_events.note("token.set_up")
        raise NotFound("This set-up link does not work any more. If this site is set up already, sign in.")


@blueprint.get("/setup")
def set_up_form() -> str:
    """Show the form that makes the first account."""
    token = request.args.get("token", "")
    _require_setup(token)
    return render_page("accounts/sign_up.html", SignUpPage("/setup", first=True, token=token))


@blueprint.post("/setup")
@security.for_anybody(lambda: _sign_up_outdated(SignUpPage("/setup", first=True)))
def set_up() -> Response:
    """Make the first account."""
    rate_limits.limit_network("20/minute", TOO_MANY, "set-up")
    form = SignUpForm.read()
    _require_setup(form.token)
    try:
        checked = form.checked()
        user_id = service.set_up(checked.name, checked.email, checked.password)
    except Invalid as problem:
        return _sign_up_again(form, SignUpPage("/setup", first=True, token=form.token), problem)
    return _signed_in(user_id, path_for("rooms.index"))


# -- signing up, in and out


@blueprint.get("/sign-up")
def sign_up_form() -> str:
    """Show the form to make an account."""
    token = request.args.get("invitation", "")
    return render_page("accounts/sign_up.html", _sign_up_page(token))


@blueprint.post("/sign-up")
@security.for_anybody(lambda: _sign_up_outdated(_sign_up_page(forms.secret("token"))))
def sign_up() -> Response:
    """Make an account and sign in."""
    rate_limits.limit_network("20/5 minutes", TOO_MANY, "sign-up")
    guards.require_welcome(None)
    form = SignUpForm.read()
    try:
        checked = form.checked()
        registration = current_app.config["REGISTRATION"]
        user_id = service.sign_up(checked.name, checked.email, checked.password, registration, checked.token)
    except Invalid as problem:
        return _sign_up_again(form, _sign_up_page(form.token), problem)
    return _signed_in(user_id, path_for("rooms.index"))


@blueprint.get("/sign-in")
def sign_in_form() -> Response | str:
    """Show the form to sign in; who is signed in goes on."""
    following = safe_next(request.args.get("next"), "")
    if guards.maybe_viewer() is not None:
        return see_other(following or path_for("rooms.index"))
    return render_page("accounts/sign_in.html", _sign_in_page(next=following))


@blueprint.post("/sign-in")
@security.for_anybody(lambda: _sign_in_again(SignInForm.read(), _OUTDATED, 403))
def sign_in() -> Response:
    """Sign in. Wrong passwords are counted, whether the account exists or not, until one is right."""
    form = SignInForm.read()
    user = queries.user_by_email(form.email)
    tries = Tries.at(form.email, user)
    try:
        tries.count()
    except TooFast as problem:
        response = _sign_in_again(form, problem.sentence, problem.status)
        response.headers["Retry-After"] = str(problem.wait)
        return response
    if not service.knows_password(user, form.password) or user is None:
        tries.fail("sign_in.failed")
        guards.require_welcome(None)
        return _sign_in_again(form, "That e-mail and password do not match. Try again.", 422)
    # Only now, for staff are let in from anywhere; who guesses is told the same whether the password is right or not.
    guards.require_welcome(Viewer(user.context, user.role, user.theme, session_id=""))
    tries.forget()
    security_events.note("sign_in" if tries.browser else "sign_in.new", user.id)
    return _signed_in(user.id, safe_next(form.next, path_for("rooms.index")), stranger=tries.browser is None)


@blueprint.get("/unsent")
@signed_in
def unsent_form() -> Response | str:
    """Show what was written on a page that was signed out meanwhile, to be sent once more."""
    form = unsent.kept()
    if form is None:
        return see_other(path_for("rooms.index"))
    return form.page("You signed in again since this page was made.", security.of_this_person(form.token))


@blueprint.post("/sign-out")
@security.for_anybody(lambda: see_other(path_for("accounts.sign_in_form")), session=True)
def sign_out() -> Response:
    """End this session, everywhere, and leave nothing in the browser."""
    who = guards.maybe_viewer()
    if who is not None:
        service.end_session(who.id, who.session_id, "sign_out")
    response = see_other(path_for("accounts.sign_in_form"))
    for name in ("session", "ticket"):
        security.drop_cookie(response, name)
    unsent.forget(response)
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


def _signed_in(user_id: str, target: str, stranger: bool = False) -> Response:
    response = redirect(target, 303)
    assert isinstance(response, Response)  # noqa: S101 - werkzeug's type says less
    return _with_session(response, user_id, stranger)


def _with_session(response: Response, user_id: str, stranger: bool = False) -> Response:
    """Begin a new session in this browser in place of its old one, so that a copy of the old cookie is worth nothing."""
    before = guards.maybe_viewer()
    replaces = before.session_id if before else None
    agent, address = forms.header("User-Agent"), request.remote_addr or ""
    secret = service.start_session(user_id, agent, address, replaces, stranger)
    security.set_cookie(response, "session", secret)
    browsers.remember(response, queries.get_user(user_id))
    return response


def _sign_in_page(email: str = "", next: str = "", error: str = "") -> SignInPage:
    may_sign_up = current_app.config["REGISTRATION"] == "open"
    return SignInPage(email, next, error, may_sign_up, unsent=unsent.kept() is not None)


def _sign_up_page(token: str) -> SignUpPage:
    invitation = queries.invitation_by(token) if token else None
    if invitation is None and token:
        security_events.note("token.invitation")
    if invitation is None:
        error = "This invitation was used, or is older than a week. Ask for another one." if token else ""
        return SignUpPage("/sign-up", error=error)
    return SignUpPage("/sign-up", token=token, email=invitation[0].email, invited_by=invitation[1])


def _sign_up_outdated(page: SignUpPage) -> Response:
    form = SignUpForm.read()
    return _sign_up_again(form, replace(page, token=form.token), NotAllowed(_OUTDATED))


def _sign_up_again(form: SignUpForm, page: SignUpPage, problem: ChatError) -> Response:
    error = "" if problem.fields else problem.sentence
    shown = SignUpPage(
        page.action, page.first, page.token, form.name, form.email, page.invited_by, error, problem.fields
    )
    return Response(render_page("accounts/sign_up.html", shown), problem.status)


def _sign_in_again(form: SignInForm, error: str, status: int) -> Response:
    page = _sign_in_page(form.email, safe_next(form.next, ""), error)
    return Response(render_page("accounts/sign_in.html", page), status)


# -- profile and devices


@blueprint.get("/profile")
@signed_in
def profile() -> str:
    """Show one's profile."""
    page = _profile_page(saved="saved" in request.args)
    return render_page("accounts/profile.html", replace(page, changed=request.args.get("changed", "")))


@blueprint.post("/profile")
@signed_in
@security.takes(4 * pictures.MAX_BYTES)
def update_profile() -> Response:
    """Save name, status, look and, if one was chosen, the picture.

    More than a picture may have is taken, so that the form of one that is too large comes back with its other fields.
    """
    who = viewer()
    form = ProfileForm.read()
    try:
        form = form.checked()
        picture_id = _keep_face(request.files.get("picture"), who.id)
        service.change_profile(who.id, form.name, form.status, form.theme)
    except (Invalid, NotAllowed) as problem:
        shown = _profile_page(form=form, problem=problem)
        return Response(render_page("accounts/profile.html", shown), problem.status)
    if picture_id is not None:
        pictures.discard(service.change_picture(who.id, picture_id))
    return see_other(path_for("accounts.profile", saved=1))


def _keep_face(chosen: FileStorage | None, owner_id: str) -> str | None:
    if chosen is None or not chosen.filename:
        return None
    service.require_may_publish(owner_id)
    rate_limits.limit("20/hour", TOO_MANY, "faces", owner_id)
    try:
        return pictures.keep(chosen.stream, owner_id, face=True)
    except Invalid as problem:
        raise Invalid(problem.sentence, {"picture": problem.sentence}) from None


@blueprint.post("/profile/picture/delete")
@signed_in
def delete_picture() -> Response:
    """Go back to initials."""
    pictures.discard(service.change_picture(viewer().id, None))
    return see_other(path_for("accounts.profile", saved=1))


@blueprint.get("/profile/password")
@signed_in
def password() -> str:
    """Show the form for another password."""
    return render_page("accounts/password.html", PasswordPage(queries.get_user(viewer().id).email))


@blueprint.post("/profile/password")
@signed_in
def update_password() -> Response:
    """Change one's password, and sign out everywhere else."""
    who = viewer()
    form = PasswordForm.read()
    user = queries.get_user(who.id)
    try:
        check_all(
            lambda: _require_password(user, form.current),
            lambda: passwords.check(form.password, user.name, user.email),
        )
        if form.password == form.current:
            sentence = "This is the password that you have. Choose another one."
            raise Invalid(sentence, {"password": sentence})
        service.change_password(who.id, form.password, keep=who.session_id)
    except (Invalid, TooFast) as problem:
        return _once_more("accounts/password.html", PasswordPage(user.email, *_said(problem)), problem)
    return _with_session(see_other(path_for("accounts.profile", changed="password")), who.id)


@blueprint.get("/profile/email")
@signed_in
def email() -> str:
    """Show the form for another e-mail address."""
    return render_page("accounts/email.html", EmailPage(queries.get_user(viewer().id).email))


@blueprint.post("/profile/email")
@signed_in
def update_email() -> Response:
    """Change one's e-mail address, and sign out everywhere else."""
    who = viewer()
    form = EmailForm.read()
    user = queries.get_user(who.id)
    before = user.email
    try:
        check_all(lambda: emails.normal(form.email), lambda: _require_password(user, form.current))
        # Each tells whether somebody has an address, as signing up does, and is told to an address that may be anybody's.
        rate_limits.limit("10/day", TOO_MANY, "e-mail addresses", who.id)
        service.change_email(who.id, emails.normal(form.email), keep=who.session_id)
    except (Invalid, TooFast) as problem:
        return _once_more("accounts/email.html", EmailPage(before, form.email, *_said(problem)), problem)
    return _with_session(see_other(path_for("accounts.profile", changed="email")), who.id)


def _require_password(user: User, given: str) -> None:
    """Refuse a wrong present password. Tries count together with those to sign in.

    :raises Invalid: it is wrong.
    :raises TooFast: it was wrong too often.
    """
    tries = Tries.at(user.email, user)
    user_id = user.id
    tries.count()
    if not service.knows_password(user, given):
        tries.fail("password.failed", user_id)
        sentence = "That is not your present password."
        raise Invalid(sentence, {"current_password": sentence})
    tries.forget()


def _said(problem: ChatError) -> tuple[str, dict[str, str]]:
    return "" if problem.fields else problem.sentence, problem.fields


def _once_more(template: str, page: PasswordPage | EmailPage, problem: ChatError) -> Response:
    response = Response(render_page(template, page), problem.status)
    if isinstance(problem, TooFast):
        response.headers["Retry-After"] = str(problem.wait)
    return response


@blueprint.get("/devices")
@signed_in
def devices() -> str:
    """Show where one is signed in, and what happened to one's account lately."""
    who = viewer()
    activity, more = queries.recent_activity(who.id, forms.argument("after"))
    page = DevicesPage(queries.sessions_of(who.id, who.session_id), activity, more)
    return render_page("accounts/devices.html", page)


@blueprint.post("/devices/<id:session_id>/end")
@signed_in
def end_device(session_id: str) -> Response:
    """Sign one of one's devices out."""
    service.end_session(viewer().id, session_id)
    return see_other(path_for("accounts.devices"))


@blueprint.get("/devices/end-others")
@signed_in
def end_other_devices_form() -> str:
    """Ask once more before every other device is signed out."""
    who = viewer()
    others = tuple(each for each in queries.sessions_of(who.id, who.session_id) if not each.current)
    return render_page("accounts/end_others.html", EndOthersPage(others))


@blueprint.post("/devices/end-others")
@signed_in
def end_other_devices() -> Response:
    """Sign out everywhere else."""
    who = viewer()
    service.end_other_sessions(who.id, who.session_id)
    return see_other(path_for("accounts.devices"))


# -- people


@blueprint.get("/avatars/<id:person_id>")
@signed_in
def avatar(person_id: str) -> Response:
    """Send somebody's picture to anybody who is signed in: the one of today, whichever the address was made for.

    Frames of a room's log stay as they were when somebody takes another picture.
    """
    picture_id = queries.picture_of(person_id)
    if picture_id is None:
        raise NotFound
    return pictures.send(picture_id, "thumb")


@blueprint.get("/viewer/<id:person_id>.css")
def viewer_style(person_id: str) -> Response:
    """Send the rules that mark what is one's own. Made of its address alone, so it tells nobody anything."""
    css = render_fragment("accounts/viewer.css", ViewerStyle(person_id))
    return Response(css, mimetype="text/css", headers={"Cache-Control": YEAR})


def _profile_page(
    form: ProfileForm | None = None, problem: Invalid | NotAllowed | None = None, saved: bool = False
) -> ProfilePage:
    user = queries.get_user(viewer().id)
    return ProfilePage(
        person=user.context,
        email=user.email,
        name=form.name if form else names.plain(user.name, user.id),
        status=form.status if form else user.status,
        theme=form.theme if form else user.theme,
        password_changed_at=user.password_changed_at,
        saved=saved,
        error=problem.sentence if problem and not {"name", "status", "picture"} & problem.fields.keys() else "",
        errors=problem.fields if problem else {},
    )
