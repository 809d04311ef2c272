"""What the README at the root says that the repository is: its first prose, without badges, pictures and code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlops_scan.fingerprints.phrases import find_phrase
from mlops_scan.kindrules import KindRule
from mlops_scan.regex import regex

_LINES = 150
_LINE = 2_000  # characters of a line
_PROSE = 1_500  # characters of prose that say what something is
_FENCE = ("```", "~~~")
_MARKUP = (
    (regex(r"!\[[^\]\[]*\](\([^()]*\)|\[[^\]\[]*\])"), ""),
    (regex(r"\[([^\]\[]*)\]\([^()]*\)"), r"\1"),
    (regex(r"<[^<>]*>"), ""),
    (regex(r"[*_`]"), ""),
)
_TEACHES = r"tutorial|workshop|walk-?through|course|book"
_SHOWN = r"project|application|implementation|pipeline|workflow|template|repository|code|solution"
# what is told of itself anywhere in its first prose
_SAMPLE = regex(
    rf"\bthis (repo|repository|project|code) (\w+ )?(shows|demonstrates|illustrates|explains|teaches) (you )?how\b|"
    rf"\bthis (repo|repository|project|workshop|course) (contains|holds|provides|is) (the |an? )?"
    rf"((whole )?(set|series|suite|collection) of )?([\w-]+ )?(example|sample) ({_SHOWN})s?\b|"
    rf"\bis an? (set|suite|collection) of (reusable|(example|sample) ({_SHOWN})s)\b|"
    # a student's project of a course is no material of the course
    rf"\bin this ({_TEACHES}),? (we|you|i)\b|"
    r"\bthis (tutorial|workshop|walk-?through) (will )?(contains?|shows?|demonstrates?|is)\b|"
    rf"\b(goal|aim|purpose)s? of this ({_TEACHES})\b(?! (project|assignment|work)\b)|"
    r"\b(materials?|code|repo|repository|notebooks|resources) "
    r"((that |which )?(accompan(y|ies|ying)|supplements?)|for|from) (the|this|my|our|an?) ([\w-]+ )?"
    r"(talk|book|workshop|tutorial|webinar|article|blog ?post|presentation)\b(?! paper\b)|"
    r"\b(clone|run|deploy|try)( and \w+)? this (example|sample)\b",
    re.I,
    ("this ", "is a ", "is an ", "material", "code", "repo", "notebooks", "resources"),
)
# where usage is explained these words are said of something smaller
_EXAMPLE = regex(
    r"\bthis (example|sample) (implements|shows|demonstrates|illustrates|contains|uses|is)\b|"
    r"\bin this (example|sample),? (we|you|i)\b|"
    rf"\bis an? ([\w-]+ ){{0,3}}(example|sample) (of (how|using|building|([\w-]+ )?({_SHOWN})\b)|({_SHOWN})\b)",
    re.I,
    ("this ", "is a ", "is an "),
)
# in a title: `examples` may be adversarial ones
_TITLE = regex(
    r"\b(quick-? ?start|tutorial|workshop(?! paper)|hands-on|walk-?through)\b",
    re.I,
    ("quick", "tutorial", "workshop", "hands-on", "walk"),
)
_COLLECTION = regex(
    r"\bthis (repo|repository) (contains|provides|holds|is|hosts) (the |an? )?((set|series|suite|collection|list) of )?"
    r"((?!and\b|library\b)[\w-]+ ){0,2}(examples|tutorials)\b|"
    r"(^|[.:] )(an? )?(collection|set|series) of ([\w-]+ ){0,2}(examples|tutorials)\b|"
    r"\b(repo|repository) (showcasing|to share|with|of) ([\w-]+ ){0,2}(examples|tutorials)\b|"
    r"\bcode for ([\w-]+ )?tutorials and examples\b",
    re.I | re.M,
    ("examples", "tutorials"),
)
_EXAMPLES = regex(r"^# .*\bexamples\W*$", re.I | re.M, ("examples",))  # a title
_HEADING = regex(r"^#{1,4} +(\S[^\n]*)", re.M)


class Telling:
    """The first prose of a README, asked for what it says of the repository.

    Args:
        text: the README.
    """

    def __init__(self, text: str) -> None:
        self._lines = "\n".join(_prose(text))
        self._whole = "\n".join(line[:_LINE] for line in text[: _LINES * _LINE].split("\n", _LINES)[:_LINES])
        self._text = self._lines.replace("\n", " ")  # as long: a sentence goes on in the next line

    def sample(self) -> tuple[str, int] | None:
        """The words by which it calls itself an example or material to learn from, and their line."""
        found = _SAMPLE.search(self._text)
        if found is None:
            second = re.search(r"^##", self._lines, re.M)
            found = _EXAMPLE.search(self._text[: second.start() if second is not None else None])
        if found is None and (title := re.search(r"^# .*", self._lines, re.M)) is not None:
            found = _TITLE.search(self._lines, title.start(), title.end())
        return None if found is None else (found.group(), self._lines.count("\n", 0, found.start()) + 1)

    def told(self, rules: Sequence[KindRule]) -> tuple[KindRule, str, int] | None:
        """The first of some rules with a phrase in it, the words, and their line."""
        title = re.search(r"^# .*", self._lines, re.M)
        places = [("prose", self._text, 0)]
        places += [("title", title.group(), title.start())] if title is not None else []
        places += [
            ("heading", found.group(1).rstrip("# :"), found.start(1)) for found in _HEADING.finditer(self._whole)
        ]
        for where, text, start in places:
            if (found := find_phrase(rules, where, text)) is not None:
                rule, at, words = found
                whole = self._whole if where == "heading" else self._lines
                return rule, words, whole.count("\n", 0, start + at) + 1
        return None

    def collection(self) -> bool:
        """Whether it calls itself a collection of examples."""
        if _COLLECTION.search(self._text) is not None or _COLLECTION.search(self._lines) is not None:
            return True
        return _EXAMPLES.search(self._lines) is not None


def _prose(text: str) -> Iterator[str]:
    """The lines of the first prose, one for each line of the text: what is none is empty."""
    left, fenced = _PROSE, False
    for raw in text[: _LINES * _LINE].split("\n", _LINES)[:_LINES]:
        line = raw[:_LINE].strip()
        if line.startswith(_FENCE):
            fenced, line = not fenced, ""
        elif fenced:
            line = ""
        for pattern, instead in _MARKUP:
            line = pattern.sub(instead, line)
        line = line.strip()
        yield line
        left -= len(line)
        if left <= 0:
            return
