"""Messages about a model that jobs send, not code: steps of CI behind a check of drift or quality, mails of Airflow.

Fact: https://airflow.apache.org/docs/apache-airflow/2.10.5/howto/email-config.html (`email_on_failure`)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.automation.model import Run
from mlops_scan.detectors.base import Context, unique
from mlops_scan.detectors.notifiers import CHANNELS
from mlops_scan.detectors.watched import asked_by, jobs_behind, line_in, step_of, watching, watching_jobs, workflows
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

_PRACTICE = "monitoring/alerts"
_CURLS = regex(CHANNELS, re.I)
_MAILS = regex(r"^[^#\n]{0,300}?email_on_failure[\"']? *[:=] *True", re.M, words=("email_on_failure",))
_TO = regex(r"^[^#\n]{0,300}?(?<!\w)[\"']?email[\"']? *[:=] *(?P<who>[^\s,}#][^\n#]{0,100})", re.M, words=("email",))
_NOBODY = regex(r"^[\[(]? *[\])]|example\.com|^None|^\[? *[\"'] *[\"']")


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals of steps and mails that tell somebody what a check of a model has found."""
    if watching(context):
        yield from unique(_of_ci(context))
        yield from unique(_of_airflow(context))


def _of_ci(context: Context) -> Iterator[Signal]:
    for path in dict.fromkeys(path for path, _ in sorted(watching_jobs(context))):
        workflow = workflows(context).get(path)
        for job in jobs_behind(context, workflow) if workflow is not None else ():
            for run in context.automation.runs_of_job(path, job.id):
                if not _tells(run):
                    continue
                line = asked_by(job, step_of(job, path, run), line_in(run, path))
                if line:
                    yield _told(context, run, line)


def _tells(run: Run) -> bool:
    """Whether a command or an action tells a person or a system something."""
    if any("notify" in use.does for use in run.uses):
        return True
    return run.words[:1] == ("curl",) and any(_CURLS.search(word) for word in run.words[1:])


def _told(context: Context, run: Run, line: int) -> Signal:
    sent = context.evidence(run.location.path, run.location.line, Hop.EFFECT)
    asked = context.evidence(run.start.workflow, line, Hop.TRIGGER)
    evidence = (sent,) if asked.location == sent.location else (sent, asked)
    grade, reason = (Grade.TRACE, run.start.blocked) if run.start.blocked else (Grade.WIRED, "")
    return Signal(_PRACTICE, "ci", grade, evidence, Confidence.MEDIUM, reason, fixed=True)


def _of_airflow(context: Context) -> Iterator[Signal]:
    """The mail that Airflow sends when a task of a DAG that watches fails."""
    paths = (run.start.evidence.location.path for run in watching(context) if run.start.kind == "schedule")
    for path in dict.fromkeys(paths):
        module = context.index.modules.get(path)
        if module is None or "airflow" not in module.roots:
            continue
        text = context.documents.text(path)
        mails, to = _MAILS.search(text), _TO.search(text)
        if mails is None or to is None:
            continue
        evidence = (context.evidence(path, text.count("\n", 0, mails.end()) + 1, Hop.EFFECT),)
        if _NOBODY.search(to["who"]):
            reason = "it names nobody who gets the mail"
            yield Signal(_PRACTICE, "airflow", Grade.TRACE, evidence, Confidence.MEDIUM, reason, fixed=True)
        else:
            yield Signal(_PRACTICE, "airflow", Grade.WIRED, evidence, Confidence.MEDIUM, fixed=True)
