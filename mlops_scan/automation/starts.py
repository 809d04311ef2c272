"""What declared pipelines and services start; what CI, clocks and pipelines in code do has modules of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlops_scan.automation import images
from mlops_scan.automation.model import Pipeline, Run, Start
from mlops_scan.automation.resolve import Resolver
from mlops_scan.automation.taskimages import image_name, known_images
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop, Location, Role

_PROCESS = regex(r"[A-Za-z0-9_-]+")
_MAX_PROCESSES = 100


def pipeline_runs(pipelines: Sequence[Pipeline], resolver: Resolver) -> Iterator[Run]:
    """What the steps of declared pipelines run, with the pipeline as the start."""
    known: Mapping[str, set[tuple[str, str]]] | None = None
    for pipeline in pipelines:
        evidence = Evidence(Location(pipeline.path, pipeline.line), Hop.TRIGGER, f"{pipeline.tool}: {pipeline.name}")
        start = Start("pipeline", f"{pipeline.tool} pipeline {pipeline.name}", evidence)
        yield from resolver.pipeline_start(pipeline, start)
        for name in filter(None, (image_name(step.image) for step in pipeline.steps)):
            known = known_images(resolver) if known is None else known
            found = known.get(name, set())
            for dockerfile, folder in found if len(found) == 1 else ():
                yield from resolver.service(dockerfile, start, folder)


def service_runs(documents: Documents, resolver: Resolver) -> Iterator[Run]:
    """What deployed images, compose services and the processes of a `Procfile` run."""
    for path, file in documents.files.items():
        if file.role in (Role.VENDORED, Role.GENERATED, Role.DOCS, Role.EXAMPLE, Role.TEST):
            continue
        if language_of(path) == "dockerfile":
            start = Start("service", path, Evidence(Location(path, 1), Hop.TRIGGER, "container image"))
            yield from resolver.service(path, start)
        elif file.name == "Procfile":
            yield from _processes(path, documents, resolver)
        elif images.is_compose(file.name):
            for service in images.services(path, documents, resolver.paths):
                label = f"compose service {service.name}"
                start = Start("service", label, Evidence(Location(path, service.line), Hop.TRIGGER, label))
                yield from resolver.compose_service(service, start)


def _processes(path: str, documents: Documents, resolver: Resolver) -> Iterator[Run]:
    """The processes that a platform starts from a folder's `Procfile`: `web: uvicorn app:app`."""
    for number, line in enumerate(documents.text(path).split("\n")[:_MAX_PROCESSES], 1):
        name, colon, command = line.partition(":")
        if colon and _PROCESS.fullmatch(name):
            label = f"process {name} of {path}"
            start = Start("service", label, Evidence(Location(path, number), Hop.TRIGGER, label))
            yield from resolver.script(command.strip(), path, number, start, folder=path.rpartition("/")[0])
