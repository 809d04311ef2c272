"""Tests that ask the running service of a model over HTTP and hold what it answers to something.

`requests.post("http://localhost:8000/predict", json=row)` leads to no code of the repository, and such a file imports
no tool, so that it may not have been parsed with the rest. What CI does with one counts where its job starts the
service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_scan.automation.images import ENGINES, composed
from mlops_scan.automation.model import Run
from mlops_scan.code.facts import MAIN, Call, Function, Guard, Module
from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.marks import always_skipped
from mlops_scan.detectors.stubs import MOCKS
from mlops_scan.detectors.testfiles import RemoteTest, modules_of, test_functions
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import has_any, regex

TEST_FILE = regex(r"(test_.*|.*_test|tests)\.py")
HOSTS = ("localhost", "127.0.0.1", "0.0.0.0")  # noqa: S104 -- names that tests ask, nothing is bound
CLIENTS = regex(r"(requests|httpx)(\.\w+)*\.(post|get|put|request)", words=("requests", "httpx"))
PREDICTION = ("predict", "infer", "scor", "classif", "invocations", "forecast")
ASKS = regex(rf"[/:]\w*({'|'.join(PREDICTION)})\w*", re.I)
_BODY = frozenset({"json", "content", "text", "loads"})
_ENVELOPE = frozenset({"status_code", "status", "headers", "reason", "len", "keys"})  # says nothing of the answer
_ANSWER = regex(r"[^/:]*(predict|label|class|probab|confiden|score|sentiment|categor|answer)[^/:]*", re.I)
_ADDRESS = ("url", "uri", "endpoint", "path", "route", "host")
STANDS_IN = (*MOCKS, "responses", "requests_mock", "respx", "httpretty", "vcr")
_LOADS = frozenset({"load-model"})
ANYTHING = frozenset({"pickle", "generic-estimator"})  # tools whose uses need not be of a model
_HOPS = 8
_MAX_BESIDE = 1_000  # other commands of a job looked at


def asking_tests(context: Context) -> Iterator[RemoteTest]:
    """The first such test of each file of tests, and where the service loads its model."""
    model = _served(context)
    if model is None:
        return
    given = {path for run in context.leading() for path in run.tests}
    for path, module in modules_of(context, TEST_FILE.fullmatch, HOSTS, PREDICTION, given):
        if any(item.name.startswith(STANDS_IN) for item in module.imports):
            continue
        if any(has_any(text, HOSTS) for _, text in module.strings):
            found = next((f for f in test_functions(module) if _asks(module, f) and _holds(context, module, f)), None)
            if found is not None:
                yield RemoteTest(path, module, found, model)


def starts_service(context: Context, run: Run) -> bool:
    """Whether the run's job starts what serves: an image that the job builds, compose, or the code itself."""
    return _job_starts(context, run.start.workflow, run.start.job)


@kept
def _job_starts(context: Context, workflow: str, job: str) -> bool:
    """Whether a job starts what serves."""
    runs = context.automation.runs_of_job(workflow, job)[:_MAX_BESIDE]
    builds = any("build-image" in use.does for run in runs for use in run.uses)
    return any(_starts(context, run, builds) for run in runs)


def _starts(context: Context, run: Run, builds: bool) -> bool:
    if not run.words or run.tests:
        return False
    if run.words[0] in ENGINES:
        asked = composed(run.words)
        return "up" in asked[:3] if asked is not None else builds and run.words[1:2] == ("run",)
    return any(not context.nodes_doing({"serve"}).isdisjoint(((path, ""), (path, MAIN))) for path, _ in run.entries)


def _served(context: Context) -> Use | None:
    """Where the first web application of the main code loads its model."""
    for use in context.doing("serve"):
        path = use.location.path
        if path in context.index.modules:
            model = context.reaches(((path, ""), (path, MAIN), (path, use.scope)), _LOADS, _HOPS)
            if model is not None and model.tool not in ANYTHING and context.role(model.location.path) not in ASIDE:
                return model
    return None


def _asks(module: Module, function: Function) -> bool:
    """Whether a test, or a helper of its file that it calls, asks for a prediction; one that is skipped does not."""
    if always_skipped(function):
        return False
    own = [call for call in module.calls if call.scope == function.qualname]
    helpers = {call.name[2:] for call in own if call.name.startswith("@.")}
    return any(
        CLIENTS.fullmatch(call.name) and any(ASKS.search(text) for text in texts_of(module, call))
        for call in module.calls
        if call.scope == function.qualname or call.scope in helpers
    )


def texts_of(module: Module, call: Call) -> Iterator[str]:
    """The constants that a call is given, and the texts in the lines on which it stands."""
    yield from (text for text in call.args if text)
    yield from (text for _, text in call.keywords if text)
    yield from (text for line, text in module.strings if call.line <= line <= call.end_line)


def _holds(context: Context, module: Module, function: Function) -> bool:
    """Whether a test asserts something of the answer itself, and not only that one came, or how it is called."""
    guards = (guard for guard in module.guards if guard.scope == function.qualname and guard.stops == "assert")
    return any(is_of_answer(guard, context.line(module.path, guard.line)) for guard in guards)


def is_of_answer(guard: Guard, line: str) -> bool:
    """Whether an assertion is on the answer of a service, and not on how it comes."""
    names = frozenset(guard.names)
    if names.isdisjoint(_BODY) or not names.isdisjoint(_ENVELOPE) or not guard.compares:
        return False
    if guard.ordered and guard.numbers:
        return True
    return "==" in line and any(_ANSWER.fullmatch(name) and not has_any(name.lower(), _ADDRESS) for name in names)
