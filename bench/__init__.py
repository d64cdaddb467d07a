"""Figures of the README: run by `bin/bench`, on the real thing, each with the machine it was seen on."""
