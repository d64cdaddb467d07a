"""What a process remembers of texts beside the tables. A purge has all of it forgotten, so whoever remembers registers here."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
F = TypeVar("F", bound=Callable[[], None])


class Remembered(Protocol[P, R_co]):
    """A function that remembers its last results."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Return the result, worked out or remembered."""
        ...


_forgetters: list[Callable[[], object]] = []


def remembered(most: int) -> Callable[[Callable[P, R]], Remembered[P, R]]:
    """Decorate a pure function of texts: ``lru_cache``, whose results are forgotten with the texts.

    :param most: how many results are remembered.
    """

    def decorate(function: Callable[P, R]) -> Remembered[P, R]:
        cached = lru_cache(maxsize=most)(function)
        _forgetters.append(cached.cache_clear)
        return cached

    return decorate


def forgets(forget: F) -> F:
    """Decorate a function that drops what else is remembered of texts, for the current application."""
    _forgetters.append(forget)
    return forget


def forget_all() -> None:
    """Drop all of it. It is made again from what the tables still have."""
    for forget in _forgetters:
        forget()
