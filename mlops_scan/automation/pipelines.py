"""Pipelines that files declare: DVC, MLproject, MLflow Recipes, Kubeflow, Argo, Databricks, Azure ML, step lists.

A pipeline here is only a declaration with steps. Whether it is an *ML* pipeline is decided later, from what its steps reach.
"""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.automation.model import Pipeline, PipelineStep
from mlops_scan.documents.node import Node

# The steps of an MLflow recipe are run by its engine, not by code of the repository:
# https://mlflow.org/docs/2.22/recipes/
_RECIPE_DOES = {
    "train": {"train"},
    "evaluate": {"evaluate"},
    "register": {"register"},
    "predict": {"predict"},
    "split": {"preprocess"},
    "transform": {"preprocess"},
}
_STEP_LISTS = ("steps", "stages", "tasks")
_COMMAND_KEYS = ("command", "cmd", "script", "run", "entrypoint", "entry_point", "module", "notebook", "path", "file")


def declared(path: str, documents: tuple[Node, ...]) -> Iterator[Pipeline]:
    """The pipelines that one YAML or JSON file declares."""
    name = path.rpartition("/")[2].lower()
    for document in documents:
        if document.kind != "mapping":
            continue
        if name in ("dvc.yaml", "dvc.yml"):
            yield from _dvc(path, document)
        elif name == "mlproject":
            yield from _mlproject(path, document)
        elif (recipe := document.get("recipe") or document.get("template")) is not None and document.path(
            "steps", "train"
        ) is not None:
            yield _recipe(path, document, recipe)
        elif document.get("pipelineInfo") is not None and document.path("root", "dag", "tasks") is not None:
            yield _kubeflow_ir(path, document)
        elif (document.get("apiVersion") or document).text.startswith("argoproj.io/") and document.path(
            "spec"
        ) is not None:
            yield from _argo(path, document)
        elif _text(document.get("kind")) == "CronJob" and (document.get("apiVersion") or document).text.startswith(
            "batch/"
        ):
            yield from _cron_job(path, document)
        elif (jobs := document.path("resources", "jobs")) is not None:
            yield from (_databricks(path, key, job) for key, job in jobs.entries)
        elif document.get("jobs") is not None and _is_azure_ml(document):
            yield _azure_ml(path, document)
        else:
            yield from _step_list(path, document)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _text(node: Node | None) -> str:
    return "" if node is None else (node.string() or "")


def _command(node: Node | None) -> tuple[str, int]:
    """A command given as a string, a list of words, or a list of lines; with its first line."""
    if node is None:
        return "", 0
    if node.kind == "sequence":
        return "\n".join(node.strings()), node.line
    text = _text(node)
    return text, node.line + (1 if "\n" in text and node.end_line > node.line else 0)


def _dvc(path: str, document: Node) -> Iterator[Pipeline]:
    stages = document.get("stages")
    if stages is None:
        return
    steps = []
    for name, stage in stages.entries:
        body = stage.get("do") or stage
        command, line = _command(body.get("cmd"))
        if command:
            folder = "/".join(part for part in (_folder(path), _text(body.get("wdir")).strip("./")) if part)
            steps.append(
                PipelineStep(name, stage.at, command, line, folder=folder, has_params=body.get("params") is not None)
            )
    if steps:
        yield Pipeline("dvc", "dvc.yaml", path, stages.at, tuple(steps))


def _mlproject(path: str, document: Node) -> Iterator[Pipeline]:
    points = document.get("entry_points")
    if points is None:
        return
    steps = []
    for name, point in points.entries:
        command, line = _command(point.get("command"))
        if command:
            steps.append(
                PipelineStep(
                    name, point.at, command, line, folder=_folder(path), has_params=point.get("parameters") is not None
                )
            )
    if steps:
        yield Pipeline(
            "mlflow-projects",
            _text(document.get("name")) or "MLproject",
            path,
            points.at,
            tuple(steps),
            entry_points=True,
        )


def _recipe(path: str, document: Node, recipe: Node) -> Pipeline:
    steps = document.get("steps")
    assert steps is not None
    return Pipeline(
        "mlflow-recipes",
        _text(recipe) or "MLflow recipe",
        path,
        steps.at,
        tuple(
            PipelineStep(
                name,
                step.at,
                does=frozenset(_RECIPE_DOES.get(name, ())),
                folder=_folder(path),
                has_params=bool(step.entries),
            )
            for name, step in steps.entries
        ),
    )


def _kubeflow_ir(path: str, document: Node) -> Pipeline:
    tasks = document.path("root", "dag", "tasks")
    executors = document.path("deploymentSpec", "executors")
    components = document.get("components")
    assert tasks is not None
    steps = []
    for name, task in tasks.entries:
        component = _text(task.path("componentRef", "name"))
        label = _text(components.path(component, "executorLabel")) if components is not None else ""
        container = executors.path(label, "container") if executors is not None else None
        source = "\n".join((container.get("command") or container).strings()) if container is not None else ""
        steps.append(PipelineStep(name, task.at, does=_embedded(source)))
    return Pipeline(
        "kubeflow-pipelines", _text(document.path("pipelineInfo", "name")) or "pipeline", path, tasks.at, tuple(steps)
    )


def _embedded(source: str) -> frozenset[str]:
    """Activities that Python source embedded in a compiled pipeline shows, by its calls (read, never run)."""
    found = set()
    for needle, activity in (
        (".fit(", "train"),
        (".train(", "train"),
        (".backward(", "train"),
        (".predict(", "predict"),
        ("_score(", "evaluate"),
        ("mean_squared_error(", "evaluate"),
    ):
        if needle in source:
            found.add(activity)
    return frozenset(found)


def _argo(path: str, document: Node) -> Iterator[Pipeline]:
    kind = _text(document.get("kind"))
    spec = document.path("spec", "workflowSpec") or document.get("spec")
    templates = spec.get("templates") if spec is not None else None
    if kind not in ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow") or templates is None:
        return
    annotations = document.path("metadata", "annotations")
    kubeflow = annotations is not None and any(key.startswith("pipelines.kubeflow.org/") for key in annotations.keys())
    steps = []
    for template in templates.items:
        body = template.get("container") or template.get("script")
        if body is None:
            continue
        words = [*(body.get("command") or body).strings(), *((body.get("args") or body).strings())]
        source = "\n".join(words) + _text(body.get("source"))
        steps.append(
            PipelineStep(
                _text(template.get("name")),
                template.line,
                " ".join(words[:12]) if "\n" not in source else "",
                body.line,
                does=_embedded(source),
            )
        )
    if steps:
        name = (
            _text(document.path("metadata", "name")) or _text(document.path("metadata", "generateName")) or "workflow"
        )
        clock = document.path("spec", "schedules") or document.path("spec", "schedule")
        suspend = document.path("spec", "suspend")
        yield Pipeline(
            "kubeflow-pipelines" if kubeflow else "argo-workflows",
            name,
            path,
            document.line,
            tuple(steps),
            schedule=" ".join(clock.strings()) if clock is not None else "",
            schedule_line=clock.at if clock is not None else 0,
            schedule_off="`suspend: true`" if suspend is not None and suspend.value is True else "",
        )


def _cron_job(path: str, document: Node) -> Iterator[Pipeline]:
    """A Kubernetes CronJob as a pipeline of its containers, with its clock."""
    containers = document.path("spec", "jobTemplate", "spec", "template", "spec", "containers")
    clock, suspend = document.path("spec", "schedule"), document.path("spec", "suspend")
    steps = []
    for container in containers.items if containers is not None else ():
        words = [
            *(container.get("command") or Node("scalar", 1, 1)).strings(),
            *(container.get("args") or Node("scalar", 1, 1)).strings(),
        ]
        text = " ".join(f"'{word}'" if " " in word else word for word in words)
        steps.append(PipelineStep(_text(container.get("name")), container.line, text, container.line))
    if steps and clock is not None:
        off = "`suspend: true`" if suspend is not None and suspend.value is True else ""
        name = _text(document.path("metadata", "name")) or "CronJob"
        yield Pipeline(
            "kubernetes-cronjob",
            name,
            path,
            document.line,
            tuple(steps),
            schedule=_text(clock),
            schedule_line=clock.at,
            schedule_off=off,
        )


def _databricks(path: str, key: str, job: Node) -> Pipeline:
    tasks = job.get("tasks")
    steps = []
    for task in tasks.items if tasks is not None else ():
        # a template may offer the same key several times, one a condition
        bodies = [body for key, body in task.entries if key in ("notebook_task", "spark_python_task")]
        targets = [_text(body.get("notebook_path") or body.get("python_file")) for body in bodies]
        lines = [
            f"python {target if '.' in target.rpartition('/')[2] else target + '.py'}" for target in targets if target
        ]
        steps.append(
            PipelineStep(_text(task.get("task_key")), task.line, "\n".join(lines), task.line, folder=_folder(path))
        )
    clock = job.get("schedule")
    cron = clock.get("quartz_cron_expression") if clock is not None else None
    status = clock.get("pause_status") if clock is not None else None
    off = "`pause_status: PAUSED`" if status is not None and status.text == "PAUSED" else ""
    return Pipeline(
        "databricks",
        key,
        path,
        job.at,
        tuple(steps),
        schedule=_text(cron),
        schedule_line=cron.at if cron is not None else 0,
        schedule_off=off,
    )


def _is_azure_ml(document: Node) -> bool:
    jobs = document.get("jobs")
    return _text(document.get("type")) == "pipeline" and jobs is not None and jobs.kind == "mapping"


def _azure_ml(path: str, document: Node) -> Pipeline:
    jobs = document.get("jobs")
    assert jobs is not None
    steps = []
    for name, job in jobs.entries:
        command, line = _command(job.get("command"))
        code = _text(job.get("code")).strip("./")
        steps.append(PipelineStep(name, job.at, command, line, folder="/".join(p for p in (_folder(path), code) if p)))
    return Pipeline("azure-ml", _text(document.get("display_name")) or "pipeline", path, jobs.at, tuple(steps))


def _step_list(path: str, document: Node) -> Iterator[Pipeline]:
    """`steps:` as a list of {name, script | command, params}, at the top or below one key such as `pipeline:`."""
    for holder in (document, *(child for _, child in document.entries if child.kind == "mapping")):
        for key in _STEP_LISTS:
            node = holder.get(key)
            if node is None:
                continue
            steps = [step for step in (_listed(item, path) for item in _named(node)) if step is not None]
            if len(steps) >= 2 and any(step.has_params or step.command for step in steps):
                yield Pipeline("steps-yaml", _text(holder.get("name")) or key, path, node.at, tuple(steps))
                return


def _named(node: Node) -> Iterator[tuple[str, Node]]:
    if node.kind == "sequence":
        for item in node.items:
            if (
                item.kind == "mapping"
                and item.get("name") is None
                and len(item.entries) == 1
                and item.entries[0][1].kind == "mapping"
            ):
                yield item.entries[0]
            else:
                yield _text(item.get("name") or item.get("id") or item.get("step")), item
    else:
        yield from node.entries


def _listed(named: tuple[str, Node], path: str) -> PipelineStep | None:
    name, node = named
    if node.kind != "mapping" or not name or node.get("uses") is not None:
        return None
    for key in _COMMAND_KEYS:
        command, line = _command(node.get(key))
        if command:
            params = any(node.get(k) is not None for k in ("params", "parameters", "args", "inputs", "with"))
            return PipelineStep(name, node.at, command, line, folder=_folder(path), has_params=params)
    return None
