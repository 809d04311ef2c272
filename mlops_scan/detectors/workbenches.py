"""Compose services in which people write notebooks: a tool of who develops, and nothing that is deployed."""

from __future__ import annotations

from mlops_scan.automation.images import Service
from mlops_scan.detectors.base import Context
from mlops_scan.regex import regex

# https://jupyter-docker-stacks.readthedocs.io/en/latest/using/selecting.html
_IMAGE = regex(r"(?:(?:quay|docker)\.io/)?jupyter/\S+", words=("jupyter/",))
_SERVER = regex(
    r"(?:^|[\s\"'\[/;&])(?:jupyter(?:hub|lab|(?:[- ]|[\"'],[ ]?[\"'])(?:lab|notebook|server))"
    r"|start-notebook\.(?:sh|py))(?=$|[\s\"',;&])",
    words=("jupyter", "start-notebook"),
)


def is_workbench(context: Context, service: Service) -> bool:
    """Whether a service runs a notebook server: its own command says so, else that of its image or what that is of."""
    if service.command is not None:
        return _SERVER.search(service.command.text) is not None
    document = context.documents.dockerfile(service.dockerfile) if service.dockerfile else None
    if document is None or len(document.stages) != 1:
        return False
    started = [i.value for i in document.instructions if i.name in ("ENTRYPOINT", "CMD")]
    if started:
        return any(_SERVER.search(value) for value in started)
    return _IMAGE.fullmatch(document.stages[0].image) is not None
