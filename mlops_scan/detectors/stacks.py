"""CloudFormation and SAM templates that commands deploy: which of them brings what serves a model.

Fact, that a packaged template is another file: https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from mlops_scan.automation.model import Run
from mlops_scan.detectors.base import Context
from mlops_scan.fingerprints.match import Use

_TEMPLATE = ("--template-file", "--template-body", "--template", "-t")
_PACKAGED = ("--output-template-file",)
_PACKAGES = ("package", "build")
_DEFAULTS = ("template.yaml", "template.yml")  # of `sam`
_SERVES = frozenset({"serve", "deploy-model"})
_KEY = "packaged templates"


def deployed(context: Context, run: Run) -> Use | None:
    """What serves a model in the template that a command deploys, or None."""
    if not any("deploy-infra" in use.does for use in run.uses):
        return None
    written = _option(run.words, _TEMPLATE)
    named = [written] if written else list(_DEFAULTS) if run.words[:1] == ("sam",) else []
    for name in named:
        path = _file(context, _packaged(context).get(name.rpartition("/")[2], name))
        for use in context.uses_in(path) if path else ():
            if "deploy/serving" in use.serves or _SERVES.intersection(use.does):
                return use
    return None


def _packaged(context: Context) -> Mapping[str, str]:
    """The templates that commands package, by the name of the file that this gives."""
    if _KEY not in context.cache:
        found: dict[str, str] = {}
        for run in context.automation.runs:
            if run.words[:1] in (("aws",), ("sam",)) and any(word in _PACKAGES for word in run.words[1:3]):
                given, made = _option(run.words, _TEMPLATE), _option(run.words, _PACKAGED)
                if given and made:
                    found[made.rpartition("/")[2]] = given
        context.cache[_KEY] = found
    return cast("Mapping[str, str]", context.cache[_KEY])


def _option(words: tuple[str, ...], names: tuple[str, ...]) -> str:
    """The value of the first of some options that a command line has, without `file://`; empty where it has none."""
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            value = value if equals else next(iter(words[position + 1 : position + 2]), "")
            return value.removeprefix("file://")
    return ""


def _file(context: Context, name: str) -> str:
    """The one file that a template's name means: an artifact of a build lies elsewhere than its source."""
    tail = name.replace("\\", "/").removeprefix("./").lstrip("/")
    for whole in (True, False):
        last = tail.rpartition("/")[2]
        paths = [file.path for file in context.named(last) if not whole or f"/{file.path}".endswith(f"/{tail}")]
        if len(paths) == 1:
            return paths[0]
    return ""
