"""What a reusable workflow of another repository is given: commands that it runs, a folder whose tests it runs.

What it does with them stands there, so this is no more than what the names of its inputs say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_scan.automation.model import Run, Start
from mlops_scan.automation.paths import join
from mlops_scan.automation.resolve import Resolver
from mlops_scan.ci.model import Job
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Location

_WORD = regex(r"[a-z]+")
_TESTS = frozenset({"test", "tests", "testing", "pytest", "unittest"})
_PLACES = frozenset({"folder", "folders", "dir", "dirs", "directory", "directories", "path", "paths"})
_COMMANDS = frozenset({"script", "command", "commands", "cmd", "run"})
_SWITCHES = frozenset({"true", "false", "none", "null", "yes", "no"})
_MAX_SCRIPT = 100_000
_MAX_PLACES = 20
_MAX_WORD = 200  # characters of an input that is shown


def reused(
    job: Job, given: Mapping[str, str], where: Location, start: Start, via: tuple[Evidence, ...], resolver: Resolver
) -> Iterator[Run]:
    """A job that is a reusable workflow of another repository: the tests and the commands that it is given."""
    words = ("uses", job.uses, *(f"{name}={value}" for name, value in given.items() if len(value) < _MAX_WORD))
    reason = f"the reusable workflow {job.uses} is in another repository"
    places = [place for place in test_places(given) if _is_there(join("", place), resolver)]
    tests = resolver.tests.collected(("pytest", *places), "") if places else ()
    yield Run(start, words, where, (start.evidence, *via), tests=tests, unresolved=reason)
    for script in scripts(given):
        yield from resolver.script(script, where.path, where.line, start, via=via)


def _is_there(path: str, resolver: Resolver) -> bool:
    return bool(path) and (resolver.paths.is_folder(path) or path in resolver.documents.files)


def scripts(inputs: Mapping[str, str]) -> Iterator[str]:
    """The commands among the inputs: `script:` of PyTorch's workflows, `test-command:` and the like."""
    for name, value in inputs.items():
        words = _WORD.findall(name.lower())
        if words and words[-1] in _COMMANDS and value.lower() not in _SWITCHES and len(value) < _MAX_SCRIPT:
            yield value


def test_places(inputs: Mapping[str, str]) -> tuple[str, ...]:
    """The folders and files among the inputs that hold tests: `tests_folder: tests`, `test-path: tests/unit`."""
    found: list[str] = []
    for name, value in inputs.items():
        words = set(_WORD.findall(name.lower()))
        if words & _TESTS and words & _PLACES and value.lower() not in _SWITCHES:
            found += [place for place in value.split() if not place.startswith("-") and "$" not in place]
    return tuple(found[:_MAX_PLACES])
