"""Commands that run a declared pipeline: `dvc repro`, `mlflow run`, `az ml job create -f`, `argo submit`, bundles."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from mlops_scan.automation import vertex
from mlops_scan.automation.cdk import CDK, app_files, app_named
from mlops_scan.automation.model import Pipeline
from mlops_scan.automation.paths import Paths, join
from mlops_scan.documents.node import Node

_PREVIEWS = frozenset({"--dry", "--dry-run", "--help", "--pull-only"})
_SERVICES = frozenset({"anyscale", "ray", "sky", "az", "gcloud", "dstack", "det", "polyaxon"})
_ENGINES = frozenset(
    {"dvc", "mlflow", "snakemake", "nextflow", "ploomber", "spacy", "weasel", "mage", "databricks"}
)  # of which `submitted` asks more than whether a file of pipelines is named
_NODE_RUNNERS = frozenset({"npx", "pnpx", "bunx"})
_BY_FILE = {("argo", "submit"), ("argo", "cron"), ("az", "ml"), ("kfp", "run"), ("kfp", "pipeline")}


class Submitted(Struct, frozen=True):
    """A pipeline that a command runs, and the names of those of its steps that it runs (None: all)."""

    pipeline: Pipeline
    steps: frozenset[str] | None = None


class JobSpec(Struct, frozen=True):
    """What a job specification says that a remote service shall run."""

    path: str
    line: int
    text: str
    folder: str | None = None  # where it runs, None for the folder of the command
    errexit: bool = False
    in_image: bool = False  # files may come from an image that is not known
    dockerfile: str = ""  # it runs what the image of this file starts with, built in the folder


class _Script(Struct, frozen=True):
    line: int
    text: str


class Submitter:
    """Knows the declared pipelines of one repository."""

    def __init__(self, paths: Paths, pipelines: Sequence[Pipeline]) -> None:
        self.paths = paths
        self.pipelines = pipelines

    @staticmethod
    def may_submit(words: tuple[str, ...]) -> bool:
        """Whether `submitted` or `job_specs` may find something for a command line; in no folder where not."""
        name = words[0]
        if name in _ENGINES or name in _NODE_RUNNERS or name.partition("@")[0] in CDK or words[:2] in _BY_FILE:
            return True
        if name not in _SERVICES:
            return False
        if words[1:3] == ("builds", "submit") or vertex.creates(words):
            return True
        return any(word.endswith((".yaml", ".yml")) for word in words)

    def submitted(self, words: tuple[str, ...], folder: str) -> tuple[Submitted, ...] | None:
        """What a command line runs of the declared pipelines; None where it is no such command."""
        if _PREVIEWS.intersection(words):
            return None
        if words[0] == "dvc":
            return tuple(self._dvc(words, folder)) if _runs_dvc(words) else None
        if words[:2] == ("mlflow", "run"):
            return tuple(self._project(words, folder))
        if words[:2] in (("mlflow", "recipes"), ("mlflow", "pipelines")) and "run" in words:
            return self._chosen("mlflow-recipes", folder)
        if words[:2] in _BY_FILE:
            found = tuple(Submitted(pipeline) for pipeline in self._named(words, folder))
            return found or None
        if words[0] == "snakemake" or words[:2] == ("nextflow", "run"):
            return self._rule_file(words, folder)
        if words[:2] == ("ploomber", "build"):
            found = self._chosen("ploomber", folder)  # `pipeline.yaml`, unless the command names another
            usual = tuple(s for s in found if s.pipeline.path.endswith("pipeline.yaml"))
            return tuple(Submitted(p) for p in self._named(words, folder)) or usual or found
        if words[:3] == ("spacy", "project", "run") or words[:2] == ("weasel", "run"):
            found = self._chosen("spacy-projects", folder)
            return tuple(s for s in found if s.pipeline.name in words or len(found) == 1)
        if words[:2] == ("mage", "run"):
            return tuple(Submitted(p) for p in self.pipelines if p.tool == "mage" and p.path.split("/")[-2] in words)
        if words[:3] == ("databricks", "bundle", "run"):
            own = [p for p in self.pipelines if p.tool == "databricks"]
            return tuple(Submitted(p) for p in [p for p in own if p.name in words] or own[:5])
        return None

    def job_specs(self, words: tuple[str, ...], folder: str) -> Iterator[JobSpec]:
        """The job specifications that a command hands to a remote service: their entry points run there."""
        app = self._cdk_app(words, folder)
        if app is not None:
            yield app
        if words[:3] == ("gcloud", "builds", "submit"):
            yield from self._cloud_build(words, folder)
        if words[0] not in _SERVICES:
            return
        if vertex.creates(words):
            for job in vertex.jobs(words, folder, self.paths):
                place = job.path or job.dockerfile
                yield JobSpec(place, job.line, job.text, job.folder, in_image=True, dockerfile=job.dockerfile)
            return
        for word in words[1:]:
            name = word.partition("=")[2] if word.startswith("--") else word
            path = self.paths.existing(name, folder) if name.endswith((".yaml", ".yml")) else None
            for document in self.paths.documents.nodes(path) if path is not None else ():
                keys = (document.get(key) for key in ("entrypoint", "run", "command"))
                node = next((found for found in keys if found is not None), None)
                if node is not None and path is not None:
                    yield JobSpec(path, node.text_line, "\n".join(node.strings()))
                elif path is not None and (own := _run_configuration(document)) is not None:
                    yield JobSpec(path, own.line, own.text, path.rpartition("/")[0])

    def _cloud_build(self, words: tuple[str, ...], folder: str) -> Iterator[JobSpec]:
        """The steps of the build that `gcloud builds submit` starts: `--config`, or `cloudbuild.yaml` of the folder."""
        from mlops_scan.ci import cloudbuild

        given = next((word.partition("=")[2] for word in words if word.startswith("--config=")), "")
        given = given or next((word for flag, word in pairwise(words) if flag == "--config"), "")
        if not given and {"--tag", "-t"} & {word.partition("=")[0] for word in words}:
            return  # it builds the Dockerfile
        path = self.paths.existing(given or "cloudbuild.yaml", folder)
        documents = self.paths.documents
        for document in documents.nodes(path)[:1] if path is not None else ():
            for step in cloudbuild.job(path or "", document, documents).steps if cloudbuild.is_build(document) else ():
                yield JobSpec(step.path, step.script_line, step.script, step.folder or folder, step.errexit)

    def _cdk_app(self, words: tuple[str, ...], folder: str) -> JobSpec | None:
        """The program that makes what `cdk deploy` deploys: `--app`, or `app` in the `cdk.json` of the folder."""
        program = words[1:] if words[0] in _NODE_RUNNERS else words
        path = join(folder, "cdk.json")
        if not program or program[0].partition("@")[0] not in CDK or "deploy" not in program[1:]:
            return None
        for document in self.paths.documents.nodes(path)[:1] if path in self.paths.documents.files else ():
            app = document.get("app")
            text = app_named(program) or (app.string() if app is not None else "") or ""
            if text and app is not None:
                return JobSpec(path, app.line, text, folder, errexit=True)
        return None

    def deployed(self, words: tuple[str, ...], folder: str) -> tuple[tuple[str, str], ...]:
        """The TypeScript files that declare what `cdk deploy` deploys, as code that it enters."""
        app = self._cdk_app(words, folder)
        return tuple((path, "") for path in app_files(app.text, folder, self.paths.documents)) if app else ()

    def _chosen(self, tool: str, folder: str) -> tuple[Submitted, ...]:
        """The pipelines of a tool in the folder; the only one of the repository where the folder has none."""
        own = [p for p in self.pipelines if p.tool == tool]
        near = [p for p in own if p.path.rpartition("/")[0] == folder]
        return tuple(Submitted(p) for p in near or (own if len({p.path for p in own}) == 1 else ()))

    def _rule_file(self, words: tuple[str, ...], folder: str) -> tuple[Submitted, ...]:
        """What `snakemake [-s FILE]` or `nextflow run FILE` runs: the named file, else all below the folder."""
        if "-n" in words:
            return ()
        own = [p for p in self.pipelines if p.tool == words[0]]
        named = {join(folder, word) for word in words[1:]}
        chosen = [p for p in own if p.path in named]
        below = [p for p in own if p.path.startswith(f"{folder}/" if folder else "")]
        return tuple(Submitted(p) for p in chosen or below)

    def _dvc(self, words: tuple[str, ...], folder: str) -> Iterator[Submitted]:
        own = [p for p in self.pipelines if p.tool == "dvc"]
        if {"-P", "--all-pipelines"} & set(words):
            yield from (Submitted(p) for p in own)
            return
        for flag in ("--cd", "-C"):
            if flag in words[:-1]:
                folder = join(folder, words[words.index(flag) + 1])
        files = [word.partition(":")[0] for word in words[2:] if "dvc.yaml" in word]
        if files:
            wanted = {join(folder, name) for name in files}
            yield from (Submitted(p) for p in own if p.path in wanted)
            return
        names = {word for word in words[2:] if not word.startswith("-")}
        for found in self._chosen("dvc", folder):
            stages = {step.name for step in found.pipeline.steps}
            single = {"-s", "--single-item"} & set(words)
            yield Submitted(found.pipeline, frozenset(names & stages) if single and names & stages else None)

    def _project(self, words: tuple[str, ...], folder: str) -> Iterator[Submitted]:
        """`mlflow run DIR -e ENTRY`: one entry point of the MLproject in DIR."""
        entry, target, skip = "main", "", False
        for before, word in pairwise(words[1:]):
            if before in ("-e", "--entry-point"):
                entry = word
            if word.startswith("--entry-point="):
                entry = word.partition("=")[2]
            if not skip and not word.startswith("-") and not target and (before == "run" or not before.startswith("-")):
                target = word
            skip = word.startswith("-") and "=" not in word
        if "://" in target or target.startswith("git@"):
            return
        place = folder if "$" in target else join(folder, target.partition("#")[0] or ".")
        own = [p for p in self.pipelines if p.tool == "mlflow-projects"]
        near = [p for p in own if p.path.rpartition("/")[0] == place] or (own if len(own) == 1 else [])
        for pipeline in near:
            names = {step.name for step in pipeline.steps}
            yield Submitted(pipeline, frozenset({entry}) if entry in names else None)

    def _named(self, words: tuple[str, ...], folder: str) -> Iterator[Pipeline]:
        """The pipelines that stand in files which the command names."""
        for word in words[2:]:
            name = word.partition("=")[2] if word.startswith("--") else word
            path = self.paths.existing(name, folder) if name.endswith((".yaml", ".yml", ".json")) else None
            yield from (p for p in self.pipelines if path is not None and p.path == path)


def _runs_dvc(words: tuple[str, ...]) -> bool:
    plain = [word for word in words[1:] if not word.startswith("-")]
    return plain[:1] == ["repro"] or plain[:2] in (["exp", "run"], ["queue", "start"]) or "repro" in plain[:2]


def _run_configuration(document: Node) -> _Script | None:
    """The script of a run configuration of the first version of Azure ML, in the folder of that file.

    Fact: https://learn.microsoft.com/python/api/azureml-core/azureml.core.runconfiguration (`script`, `arguments`,
    `framework`, `target`)
    """
    script, arguments = document.get("script"), document.get("arguments")
    if script is None or document.get("target") is None or document.get("framework") is None:
        return None
    name = script.string() or ""
    if not name.endswith(".py"):
        return None
    words = arguments.strings() if arguments is not None else ()
    return _Script(script.line, shlex.join(("python", name, *words)))
