"""Programs that ask the running service of a model and end with an error where it answers otherwise than expected.

`actual = requests.post("http://localhost:8080/…", json=event).json()`, `assert actual == expected`: no test runner is
asked for, a script of CI starts the service and then the program. Such a file need not have been parsed with the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.automation.model import Run
from mlops_scan.code.facts import MAIN, Guard, Module
from mlops_scan.detectors.asked import (
    ANYTHING,
    ASKS,
    CLIENTS,
    HOSTS,
    PREDICTION,
    STANDS_IN,
    TEST_FILE,
    is_of_answer,
    starts_service,
    texts_of,
)
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.testfiles import modules_of
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import has_any
from mlops_scan.words import Evidence, Hop

_SCOPES = ("", MAIN)
_COMPARED = ("diff", "expected")
_ENVELOPE = ("status", "len", "headers")


@kept
def asking_programs(context: Context) -> dict[str, Evidence]:
    """By path such programs, by their name or run by automation, each with its first assertion on the answer."""
    if model_of(context) is None:
        return {}
    given = frozenset(path for run in context.leading() if not run.tests for path, _ in run.entries)
    return dict(_found(context, given))


def model_of(context: Context) -> Use | None:
    """Where the main code first loads a model, whose service such a program asks; None where it loads none."""
    return next((use for use in context.doing("load-model") if use.tool not in ANYTHING), None)


def held_answer(context: Context, run: Run) -> Evidence | None:
    """The assertion of such a program that a run starts, where the job of the run starts the service, too."""
    asking = asking_programs(context) if run.entries and not run.tests else {}
    found = next((asking[path] for path, _ in run.entries if path in asking), None)
    return found if found is not None and starts_service(context, run) else None


def _found(context: Context, given: frozenset[str]) -> Iterator[tuple[str, Evidence]]:
    for path, module in modules_of(context, TEST_FILE.fullmatch, HOSTS, PREDICTION, given):
        if any(item.name.startswith(STANDS_IN) for item in module.imports) or not _asks(module):
            continue
        guard = next((guard for guard in module.guards if _holds(context, module, guard)), None)
        if guard is not None:
            yield path, context.evidence(path, guard.line, Hop.EFFECT, guard.end_line)


def _asks(module: Module) -> bool:
    asking = (call for call in module.calls if call.scope in _SCOPES and CLIENTS.fullmatch(call.name))
    return any(_is_address(text) for call in asking for text in texts_of(module, call))


def _is_address(text: str) -> bool:
    return has_any(text, HOSTS) and ASKS.search(text) is not None


def _holds(context: Context, module: Module, guard: Guard) -> bool:
    """Whether an assertion outside of all functions compares the answer with an expected one."""
    if guard.stops != "assert" or guard.scope not in _SCOPES or guard.trivial or guard.vague or not guard.compares:
        return False
    names = " ".join(guard.names)
    if has_any(names, _ENVELOPE):
        return False
    return has_any(names, _COMPARED) or is_of_answer(guard, context.line(module.path, guard.line))
