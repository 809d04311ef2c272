"""What is worked out once in a scan, however many detectors ask for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from mlops_scan.detectors.base import Context  # imports most of the program

_P = ParamSpec("_P")
_T = TypeVar("_T")


def kept(work: Callable[Concatenate[Context, _P], _T]) -> Callable[Concatenate[Context, _P], _T]:
    """A function of the facts that is worked out once in a scan for each of its arguments.

    The arguments have to be hashable, and cheap to hash: paths and names, not runs or modules. All who ask get the
    same result, so nobody may change it; a generator, which only the first of them could use up, may not be kept.
    """

    @wraps(work)
    def known(context: Context, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        key = (work, args, tuple(kwargs.items()))
        if key not in context.cache:
            context.cache[key] = work(context, *args, **kwargs)
        return cast("_T", context.cache[key])

    return known
