"""Clocks outside CI: scheduled DAGs and flows, scheduling libraries, deployments declared in `prefect.yaml`."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from msgspec.structs import replace

from mlops_scan.automation.chained import Chains, Trigger
from mlops_scan.automation.model import Run, Start
from mlops_scan.automation.paths import join
from mlops_scan.code.facts import Call
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.documents.node import Node as Value
from mlops_scan.documents.store import Documents
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.repository.folders import above
from mlops_scan.repository.roles import strip_template
from mlops_scan.words import Evidence, Hop, Location, Role

_KEYWORDS = (
    "schedule", "schedule_interval", "timetable", "cron", "cron_schedule", "schedule_cron_expression",
    "cron_expression", "interval", "rrule", "quartz_cron_expression",
)  # fmt: skip
_NEVER = frozenset({"none", "@once", "false", "", "null"})
_WRITTEN = {"none": "None", "false": "False"}  # constants as Python writes them
NO_CLOCK = "never fires by itself"
"""How the reason ends why a clock starts nothing that its author did without: `schedule=None`."""
_EVERY = regex(r"schedule\.every(\..+)?\.do")
_ADD_JOB = regex(r".*\.(add_job|scheduled_job)")
_DEPLOYS = regex(r".*\.(serve|deploy|to_deployment|create_schedule|create_recurring_run)")
# https://learn.microsoft.com/python/api/azureml-pipeline-core/azureml.pipeline.core.schedule.schedule: a clock
# (`recurrence`), or a look at what has changed below a path of a datastore
_AZUREML = regex(r"azureml\.pipeline\.core\.(.*\.)?Schedule\.create", words=("azureml",))
# https://modal.com/docs/guide/cron, https://huey.readthedocs.io/en/latest/guide.html#periodic-tasks,
# https://fastapi-utils.davidmontague.xyz/user-guide/repeated-tasks/,
# https://docs.metaflow.org/production/scheduling-metaflow-flows/scheduling-with-argo-workflows,
# https://docs.zenml.io/user-guides/tutorial/managing-scheduled-pipelines and the deployments of Prefect 2
_GIVEN_A_CLOCK = regex(
    r"modal\.(App|Stub)\.function|prefect\.deployments\.(\w+\.)*Deployment(\.build_from_flow)?"
    r"|[@?\w.]+\.(with_options|configure)"
)
_METAFLOW = "metaflow.schedule"
# https://learn.microsoft.com/python/api/azure-ai-ml/azure.ai.ml.entities.jobschedule (`create_job`: a pipeline)
_OF_AZURE = "azure.ai.ml.entities.JobSchedule"
# https://sagemaker.readthedocs.io/en/stable/workflows/pipelines/sagemaker.workflow.pipelines.html#triggers
_OF_SAGEMAKER = "sagemaker.workflow.triggers.PipelineSchedule"
# https://viniciuschiele.github.io/flask-apscheduler/rst/usage.html, https://github.com/rq/rq-scheduler
_TASK_OF_FLASK = "flask_apscheduler.APScheduler.task"
_OF_RQ = frozenset({"rq_scheduler.Scheduler.cron", "rq_scheduler.scheduler.Scheduler.cron"})
_SAID = {
    _METAFLOW: ("cron", "hourly", "daily", "weekly"),
    _OF_AZURE: ("trigger",),
    _OF_SAGEMAKER: ("cron", "rate"),
}  # the keywords of a clock
_OWN_CLOCKS = frozenset({_TASK_OF_FLASK, *_OF_RQ, *_SAID})
_FROM_SOURCE = ".from_source"
_PERIODIC = regex(r"huey\.([\w.]+\.)?\w*Huey\.periodic_task|fastapi_utils\.(tasks|timing)\.repeat_every")
_SETTING = frozenset(
    {"do", "add_job", "scheduled_job", "serve", "deploy", "to_deployment", "create_schedule", "create"}
    | {"create_recurring_run", "function", "Deployment", "build_from_flow", "with_options", "configure"}
    | {"periodic_task", "repeat_every", "schedule", "JobSchedule"}
)  # the last segments of names that one of these patterns fits
_ASSET = regex(r"airflow\.(datasets|sdk|assets|sdk\.definitions\.asset)\.(Dataset|Asset)\w*", words=("airflow.",))
_DEPLOYMENTS = ("prefect.yaml", "prefect.yml", "deployment.yaml", "deployment.yml")
_NOT_OWN = (Role.VENDORED, Role.GENERATED, Role.DOCS, Role.EXAMPLE, Role.TEST)
_TRIGGERS = frozenset({"cron", "interval", "calendarinterval"})
_RECURRENCE, _DATASTORE = "recurrence", "datastore"
_OF_ONE = (f"{_RECURRENCE}=", f"{_DATASTORE}=")  # a clock of one of the pipelines around it, told by its id alone


def schedule_of(call: Call) -> tuple[str, str] | None:
    """The (keyword, value) with which a call sets a clock, or None; the value is empty when it is no constant."""
    given = dict(call.keywords)
    for name in _KEYWORDS:
        if name in given:
            return name, given[name] or ""
    return None


def paused(call: Call) -> str:
    """Why a schedule set by this call is off, or empty."""
    given = dict(call.keywords)
    if given.get("is_paused_upon_creation") == "true" or given.get("paused") == "true":
        return "it is paused when created"
    found = schedule_of(call)
    if found is not None and found[1].lower() in _NEVER and given.get(found[0]) is not None:
        return f"`{found[0]}={_WRITTEN.get(found[1], found[1])}` {NO_CLOCK}"
    return ""


def code_schedules(uses: Sequence[Use], index: CodeIndex) -> Iterator[Run]:
    """Code that a clock starts: scheduled DAGs and flows, `schedule.every().day.do(job)`, APScheduler, deployments.

    An Airflow DAG without a schedule is none here: that means daily in Airflow 2 and nothing in 3, and the version is
    not known.
    """
    defined: dict[str, set[int]] = {}
    several: dict[Node, set[int]] = {}  # lines of definitions by their scope
    for use in uses:
        if "define-pipeline" in use.does:
            defined.setdefault(use.location.path, set()).update(_definition_lines(use, index))
            several.setdefault((use.location.path, use.scope), set()).add(use.location.line)
    chains = Chains(index, _definitions(defined, index))
    for path, module in index.modules.items():
        lines = defined.get(path, set())
        sets = {name for name in {call.name for call in module.calls} if _may_set(index.resolve(path, name).name)}
        for call in module.calls if sets or lines else ():
            definition = call.line in lines
            label = _clock(path, call, index, definition) if definition or call.name in sets else ""
            if not label or (label.startswith(_OF_ONE) and len(several.get((path, call.scope), ())) > 1):
                continue
            evidence = Evidence(Location(path, call.line), Hop.TRIGGER, label)
            on_data = definition and _on_data(path, call, index)
            kind = "event" if on_data or label.startswith(f"{_DATASTORE}=") else "schedule"
            start = Start(kind, label, evidence, blocked=paused(call))
            chain: tuple[Evidence, ...] = (evidence,)
            if definition and start.blocked and (other := chains.trigger(path, call)) is not None:
                start, chain = _handed_on(other, start)
            entries = _scheduled(path, call, index, definition)
            yield Run(start, (), Location(path, call.line, call.end_line), chain, entries=entries)


def _definition_lines(use: Use, index: CodeIndex) -> Iterator[int]:
    """The line of a definition; of a decorated function also that of the decorator, which has the arguments."""
    yield use.location.line
    module = index.modules.get(use.location.path)
    function = module.functions.get(use.scope) if module is not None else None
    if module is not None and function is not None and function.line == use.location.line:
        above = [c.line for c in module.calls if c.name in function.decorators and c.end_line <= function.line]
        yield from above and [max(above)]


def _may_set(name: str) -> bool:
    """Whether a call of this name can set a clock."""
    return (
        name.rpartition(".")[2] in _SETTING
        and any(p.fullmatch(name) for p in (_EVERY, _ADD_JOB, _DEPLOYS, _AZUREML, _GIVEN_A_CLOCK, _PERIODIC))
    ) or name in _OWN_CLOCKS


def _definitions(defined: Mapping[str, Container[int]], index: CodeIndex) -> dict[str, list[tuple[Call, str]]]:
    """The calls that define DAGs by path, each with the reason why its own clock starts nothing, or an empty one."""
    found: dict[str, list[tuple[Call, str]]] = {}
    for path in sorted(path for path in defined if path in index.modules):
        by_line: dict[int, Call] = {}  # of several calls in a line the one with the clock, else the first
        for call in index.modules[path].calls:
            if call.line in defined[path] and (call.line not in by_line or schedule_of(call) is not None):
                by_line[call.line] = call
        found[path] = [
            (call, paused(call) or ("" if schedule_of(call) is not None else "no schedule"))
            for _, call in sorted(by_line.items())
        ]
    return found


def _handed_on(other: Trigger, start: Start) -> tuple[Start, tuple[Evidence, ...]]:
    """The start of a DAG that another one triggers, and the way there."""
    if other.clock is None:
        blocked = "the DAG that triggers it has no schedule that fires"
        return replace(start, kind="event", blocked=blocked), (*other.chain, start.evidence)
    found = schedule_of(other.clock)
    label = f"{found[0]}={found[1] or '…'}" if found is not None else ""
    evidence = Evidence(Location(other.path, other.clock.line), Hop.TRIGGER, label)
    return Start("schedule", label, evidence), (evidence, *other.chain, start.evidence)


def _on_data(path: str, call: Call, index: CodeIndex) -> bool:
    """Whether the schedule of a DAG is other DAGs' data: `schedule=[Asset("orders")]` starts it when that is written.

    Fact: https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/asset-scheduling.html
    """
    found = schedule_of(call)
    if found is None or found[1]:
        return False
    inside = (c for c in index.modules[path].calls if call.line <= c.line and c.end_line <= call.end_line)
    names = [*call.refs, *(c.name for c in inside)]
    return any(_ASSET.fullmatch(index.resolve(path, name).name) for name in names)


def _clock(path: str, call: Call, index: CodeIndex, definition: bool) -> str:
    """What clock a call sets, in words; empty where it sets none."""
    found = schedule_of(call)
    label = f"{found[0]}={found[1] or '…'}" if found is not None else ""
    if definition:
        return label
    name = index.resolve(path, call.name).name
    if _EVERY.fullmatch(name):
        return label or "scheduled in code"
    if _ADD_JOB.fullmatch(name):
        known = name.startswith("apscheduler.") or "apscheduler" in index.modules[path].roots
        return _apscheduler(call) if known else ""
    if _AZUREML.fullmatch(name):
        given = dict(call.keywords)
        key = next((key for key in (_RECURRENCE, _DATASTORE) if given.get(key, "none") != "none"), "")
        return f"{key}={given[key] or '…'}" if key else ""
    if _PERIODIC.fullmatch(name):
        return label or name.rpartition(".")[2]
    if name in _OWN_CLOCKS:
        return _own_clock(name, call)
    if name.endswith((".with_options", ".configure")) and "zenml" not in index.modules[path].roots:
        return ""
    if not label and any(keyword == "schedules" for keyword, _ in call.keywords):  # of a deployment of Prefect
        label = "schedules=…"
    return label if _DEPLOYS.fullmatch(name) or _GIVEN_A_CLOCK.fullmatch(name) else ""


def _own_clock(name: str, call: Call) -> str:
    """The clock of a call that each library says in its own way, in words; empty where it sets none."""
    given = dict(call.keywords)
    if name == _TASK_OF_FLASK:
        return _apscheduler(call)
    if name in _OF_RQ:
        return f"cron={next(iter(call.args), None) or given.get('cron_string') or '…'}"
    key = next((key for key in _SAID[name] if key in given), "")
    return f"{key}={given[key] or '…'}" if key else ""


def _apscheduler(call: Call) -> str:
    """The trigger of an APScheduler job in words; empty where the job runs once only (no trigger, `date`)."""
    position = 0 if call.name.endswith((".scheduled_job", ".task")) else 1
    given = dict(call.keywords)
    if "trigger" not in given and len(call.args) <= position:
        return ""
    trigger = given["trigger"] if "trigger" in given else call.args[position]
    return f"trigger={trigger or '…'}" if trigger is None or trigger in _TRIGGERS else ""


def _scheduled(path: str, call: Call, index: CodeIndex, definition: bool) -> tuple[Node, ...]:
    """The code that a clock set by a call starts."""
    nodes = list(_of_source(path, call, index))
    inside = index.calls_in(path, call.scope) if call.name == _OF_AZURE else ()
    made = [other.name for other in inside if call.line <= other.line and other.end_line <= call.end_line]
    for name in (call.name.rpartition(".")[0], *call.refs, *made):  # `create_job=training()`
        target = index.resolve(path, name) if name else None
        if target is not None and target.first_party:
            nodes.append((target.path, target.qualname))
    below = [f for f in index.modules[path].functions.values() if call.name in f.decorators and f.line >= call.end_line]
    decorated = min(below, key=lambda function: function.line, default=None)
    if decorated is not None:
        nodes.append((path, decorated.qualname))
    classes = [c for c in index.modules[path].classes.values() if call.name in c.decorators and c.line >= call.end_line]
    flow = min(classes, key=lambda item: item.line, default=None)
    if flow is not None:
        nodes += [(path, f"{flow.qualname}.{method}") for method in flow.methods]
    if not nodes or (definition and call.scope == "" and decorated is None):
        nodes.append((path, call.scope))
    return tuple(dict.fromkeys(nodes))


def _of_source(path: str, call: Call, index: CodeIndex) -> Iterator[Node]:
    """The flow that a deployment gets from a repository: `flow.from_source(…, entrypoint="a.py:f").deploy(…)`.

    Fact: https://docs.prefect.io/v3/how-to-guides/deployments/store-flow-code
    """
    made = call.name.rpartition(".")[0]
    if not made.endswith(_FROM_SOURCE):
        return
    before = [c for c in index.calls_in(path, call.scope) if c.name == made and c.line <= call.end_line]
    nearest = max(before, key=lambda other: other.line, default=None)
    file, _, name = ((nearest.keyword("entrypoint") if nearest is not None else None) or "").partition(":")
    target = index.script(file) if file else None
    if target is not None and name in index.modules[target].functions:
        yield target, name


# -- prefect.yaml ----------------------------------------------------------------------------------------------------


def deployments(documents: Documents, index: CodeIndex) -> Iterator[Run]:
    """The flows that the scheduled deployments of a `prefect.yaml` start, or those that Prefect 2 wrote to files.

    Fact: `prefect deployment build` writes one deployment to `FLOW-deployment.yaml`;
    https://docs-2.prefect.io/latest/concepts/deployments-block-based/#deployment-yaml
    """
    for path, file in documents.files.items():
        name = strip_template(path)[0].rpartition("/")[2]
        declared = name.startswith("prefect.")
        if not name.endswith(_DEPLOYMENTS) or file.role in _NOT_OWN:
            continue
        if not declared and not documents.holds(path, "flow_name"):
            continue
        for document in documents.nodes(path):
            listed = document.get("deployments") if declared else None
            for deployment in listed.items[:200] if listed is not None else ():
                yield from _deployment(path, deployment, index, documents)
            if document.get("flow_name") is not None:
                yield from _deployment(path, document, index, documents)


def _deployment(path: str, deployment: Value, index: CodeIndex, documents: Documents) -> Iterator[Run]:
    file, _, flow = _text(deployment.get("entrypoint")).partition(":")
    # relative to the folder in which the deployment was made, which is that of the file or one above
    places = (join(folder, file) for folder in above(path.rpartition("/")[0])) if file else ()
    target = next((place for place in places if place in documents.files), "")
    if target not in index.modules:
        return
    qualname = flow.strip()
    functions = index.modules[target].functions
    entries: tuple[Node, ...] = ((target, ""), (target, qualname)) if qualname in functions else ((target, ""),)
    name = _text(deployment.get("name")) or "deployment"
    for clock in _clocks(deployment):
        value = next((v for key in ("cron", "interval", "rrule") if (v := clock.get(key)) is not None), None)
        if value is None or not _text(value):
            continue
        label = f"{name}: {_text(value)}"
        evidence = Evidence(Location(path, value.at), Hop.TRIGGER, label)
        start = Start("schedule", label, evidence, blocked=_off(deployment) or _off(clock))
        yield Run(start, (), Location(path, deployment.line), (evidence,), entries=entries)


def _clocks(deployment: Value) -> Iterator[Value]:
    single, several = deployment.get("schedule"), deployment.get("schedules")
    if single is not None and single.kind == "mapping":
        yield single
    for item in several.items[:50] if several is not None else ():
        yield item.get("schedule") or item


def _off(node: Value) -> str:
    """Why a deployment's or a schedule's clock is off, or empty."""
    flag = node.get("paused")
    if flag is not None and flag.value is True:
        return "`paused: true`"
    for key in ("active", "is_schedule_active"):
        flag = node.get(key)
        if flag is not None and flag.value is False:
            return f"`{key}: false`"
    return ""


def _text(node: Value | None) -> str:
    return "" if node is None else (node.string() or "")
