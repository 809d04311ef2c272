"""Regular expressions that are compiled when they are first used.

Compiling the few hundred patterns of this program takes longer than a small scan; most of them are never asked.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Lazy:
    """Stands in for a compiled pattern: the first attribute that is asked for compiles it."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._source = (pattern, flags)
        self.pattern = pattern

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(re.compile(*self._source), name)
        setattr(self, name, found)  # asked directly from now on
        return found

    def __repr__(self) -> str:
        return f"regex{self._source}"


def regex(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, but compiled at its first use; for patterns at the top of a module.

    Raises (at the first use):
        re.error: the pattern is not valid; the test of all patterns sees to it that none is.
    """
    return cast("re.Pattern[AnyStr]", _Lazy(pattern, flags))
