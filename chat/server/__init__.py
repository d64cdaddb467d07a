"""Running the application: one process on gevent's WSGI server, or many of them under gunicorn.

The server adds three things to ``gevent.pywsgi``: streams leave it and live in the hub (``handler``), a signed request for
a stream never enters WSGI at all (``door``), and a stop that loses nothing (``process``).
Nothing here is imported by the application, and this file imports nothing, so that gunicorn's unpatched master stays clean.
"""
