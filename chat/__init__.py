"""Confab: a room with members and a timeline, in several faces.

The package is cut by feature, and each feature by layer with the same file names everywhere
(``contexts``, ``events``, ``models``, ``policy``, ``queries``, ``service``, ``forms``, ``broadcasts``,
``listeners``, ``routes``). Imports point down this list only, which import-linter checks:

==================  ==================================================================
notifications       e-mail to people who are not looking; listens to everyone
messages            the timeline of a room: posting, editing, deleting, pictures
presence            who is here, who is typing
rooms               rooms, their members, and how far each has read
accounts            people, how they sign in, the devices they are signed in on
web, realtime       pages and event streams; know no feature
pictures            turning an upload into safe images, and keeping them
bus                 transactions, and the events they release after commit
log, jobs           the durable order of a room; work promised in a transaction
background          things done every so often, outside requests
database            the engine, the declarative base, column types
keys, threads, clock, errors, folding, ids, logs, metrics, redis_link
==================  ==================================================================

``chat.server`` runs the application: one process on gevent, or many under gunicorn. ``app.py``
is the only module that names the features. ``docs/architecture.md`` walks one message through.
"""
