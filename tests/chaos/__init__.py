"""The fault run: real processes, faults between them, clients that keep a history, and a checker that reads it.

``stack`` starts the processes, ``proxy`` stands between them, ``readers`` and ``writers`` follow the rules of the page's
script, ``faults`` break things and heal them, ``run`` puts it together from one seed, ``checker`` reads the histories and
the database, ``report`` says what came out. ``docs/delivery.md`` says what is promised.
"""
