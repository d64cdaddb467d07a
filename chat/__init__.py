"""Confab: a room with members and a timeline, in several faces.

The package is cut by feature, and each feature by layer with the same file names everywhere
(``contexts``, ``events``, ``models``, ``policy``, ``queries``, ``service``, ``forms``, ``broadcasts``,
``listeners``, ``routes``). Imports point down this list only, which import-linter checks:

==================  ==================================================================
themes              checking themes, and showing every template while somebody makes one
notifications       e-mail to people who are not looking; listens to everyone
look                the name, the logo, the accent and the styles of the site
staff               roles, people, and why somebody may do something
moderation          removed and edited messages, restoring, the pages of the audit log and of security events
keeping             purges, retention, legal holds
sweeps              much of one person removed in one go, and put back
held                messages that wait for a moderator
reports             what members report, and what becomes of it
rules               what is not let through, held, told of or muted for
sanctions           mutes, suspensions, bans, ranges of addresses, appeals
notices             what moderators tell a person
messages            the timeline of a room: posting, editing, deleting, pictures
presence            who is here, who is typing
rooms               rooms, their members, and how far each has read
accounts            people, how they sign in, the devices they are signed in on
caches              tables that change rarely, as every process keeps them at hand
web, realtime       pages and event streams; know no feature
pictures            turning an upload into safe images, and keeping them
bus                 transactions, and the events they release after commit
log, jobs, audit    the durable order of a room; work promised in a transaction; who did what
security_events     sign-ins with their networks, and refusals
background          things done every so often, outside requests
database            the engine, the declarative base, column types
screens             what is asked before a text is taken
keyset              where a page of a long list ends
names               rules for names, and which look alike
addresses, keys, threads, clock, errors, folding, ids, logs, metrics, permissions, redis_link
==================  ==================================================================

``chat.server`` runs the application: one process on gevent, or many under gunicorn. ``app.py``
is the only module that names the features. ``docs/architecture.md`` walks one message through.
"""
