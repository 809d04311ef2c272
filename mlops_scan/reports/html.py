"""One HTML page that needs nothing else: no network, no file beside it, and readable without its script.

Jinja2 escapes every value; `finalize` makes control and direction characters visible first. The page's own policy
allows its one style sheet and its one script by their hashes and nothing else, so that markup could do nothing if it
got in.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from mlops_scan.engine.report import Report
from mlops_scan.reports import RenderOptions, vector
from mlops_scan.reports.clean import encodable, visible
from mlops_scan.reports.tally import (
    GRADES,
    explained,
    families,
    lacks,
    percent,
    rungs_up_to,
    scope,
    severities,
    split_findings,
    title,
    top_level,
    without_level,
)

_MAX_STEPS = 50
_MAX_TEXT = 400


def render(report: Report, options: RenderOptions) -> str:
    """The whole page."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, finalize=_shown, trim_blocks=True, keep_trailing_newline=True
    )
    style, script = _resource("report.css"), _resource("report.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = environment.from_string(_resource("report.html.j2")).render(
        _content(report, options),
        policy=policy,
        style=Markup(style),  # noqa: S704 -- our own file
        script=Markup(script),  # noqa: S704 -- our own file
        newline=Markup("\n"),
    )
    return encodable(page)


def _content(report: Report, options: RenderOptions) -> dict[str, Any]:
    headline = report.headline
    defects, gaps = split_findings(report)
    why = explained(report)
    rungs = rungs_up_to(why, top_level(headline)) if headline.level is not None else ()
    return {
        "report": report,
        "headline": headline,
        "title": title(report),
        "places": options.places,
        "defects": defects,
        "gaps": gaps,
        "rungs": rungs,
        "by_id": {practice.id: practice for practice in why.practices},
        "families": families(headline),
        "rules": {rule.id: rule for rule in report.rules},
        "first": {finding.id: finding.fingerprint for finding in reversed((*defects, *gaps))},  # explained only there
        "sections": _sections(report, bool(rungs)),
        "severities": severities,
        "percent": percent,
        "scope": scope(report, options.component),
        "without_level": without_level(report),
        "other_models": _applies(report),
        "grades": [(grade.value, text.partition(": ")[2]) for grade, text in GRADES.items()],
        "lacks": lacks,
        "value": vector.value,
        "span": vector.span,
        "spans": _spans,
        "max_steps": _MAX_STEPS,
        "max_text": _MAX_TEXT,
    }


def _sections(report: Report, rows: bool) -> list[tuple[str, str]]:
    present = (
        ("ladder", "Ladder", bool(report.headline.ladder) and report.headline.level is not None),
        ("rows", "Why this level", rows),
        ("components", "Components", len(report.components) > 1),
        ("steps", "Next steps", bool(report.headline.gaps)),
        ("models", "All models", _applies(report)),
        ("findings", "Findings", True),
        ("practices", "Practices", True),
        ("unread", "Could not be read", bool(report.incomplete)),
        ("notices", "Please note", bool(report.notices)),
    )
    return [(anchor, name) for anchor, name, shown in present if shown]


def _applies(report: Report) -> bool:
    """Whether some model besides the one that the page shows has something to say."""
    return any(item.value is not None and item.id != report.model for item in report.headline.models)


def _spans(text: str) -> Iterator[tuple[bool, str]]:
    """The text in pieces, and whether each stands between backticks."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        yield False, text
        return
    for number, piece in enumerate(pieces):
        yield bool(number % 2), piece


def _shown(value: Any) -> Any:
    """What a value looks like on the page; markup of our own passes."""
    if hasattr(value, "__html__"):
        return value
    return visible(str(value))


def _resource(name: str) -> str:
    return (files("mlops_scan.reports") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"
