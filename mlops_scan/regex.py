"""Regular expressions that are compiled when they are first used.

Compiling the few hundred patterns of this program takes longer than a small scan; most of them are never asked.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def has_any(text: str, words: tuple[str, ...]) -> bool:
    """Whether a text in whatever case has one of some words in lower case, without an expression to compile for it."""
    return any(map(text.lower().__contains__, words))  # a generator takes longer than what it is asked


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


class _Worded(_Lazy):
    """A pattern with words one of which stands in whatever it matches, so that most texts need not compile it."""

    def __init__(self, pattern: Any, flags: int, words: tuple[Any, ...]) -> None:
        super().__init__(pattern, flags)
        self.words = words

    def search(self, text: Any, *span: int) -> re.Match[Any] | None:
        """As of a compiled pattern."""
        return self._compiled().search(text, *span) if self._may_match(text) else None

    def match(self, text: Any, *span: int) -> re.Match[Any] | None:
        """As of a compiled pattern."""
        return self._compiled().match(text, *span) if self._may_match(text) else None

    def fullmatch(self, text: Any, *span: int) -> re.Match[Any] | None:
        """As of a compiled pattern."""
        return self._compiled().fullmatch(text, *span) if self._may_match(text) else None

    def _may_match(self, text: Any) -> bool:
        lower = text.lower()
        return any(word in lower for word in self.words) or not text.isascii()  # other letters may count as equal

    def _compiled(self) -> re.Pattern[Any]:
        compiled: re.Pattern[Any] = re.compile(*self._source)
        for name in ("search", "match", "fullmatch"):
            setattr(self, name, getattr(compiled, name))  # from now on the pattern is as quick to ask as its words
        return compiled


def regex(pattern: AnyStr, flags: int = 0, words: tuple[AnyStr, ...] = ()) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, but compiled at its first use; for patterns at the top of a module.

    Args:
        pattern: the expression.
        flags: of `re`.
        words: parts of text in lower case, one of which, in either case, is in every text that the pattern matches. As
            long as no text has any, the pattern is not compiled. For patterns that are asked with short texts; the test
            of all patterns makes up texts that match and sees to it that each has one.

    Raises (at the first use):
        re.error: the pattern is not valid; the test of all patterns sees to it that none is.
    """
    found = _Worded(pattern, flags, words) if words else _Lazy(pattern, flags)
    return cast("re.Pattern[AnyStr]", found)
