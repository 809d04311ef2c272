"""CI definitions that the provider refuses because they are no YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_scan.ci import names
from mlops_scan.ci.providers import provider_named
from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.regex import regex
from mlops_scan.words import Problem, Role

# By provider the files that it loads, templates and files that others may include left out.
_LOADS = {
    "GitHub Actions": names.GITHUB,
    "GitLab CI": r"\.gitlab-ci\.yml",
    "Azure Pipelines": r"(.*/)?azure-pipelines[^/]*\.ya?ml",
    "CircleCI": r"\.circleci/config\.ya?ml",
    "Bitbucket Pipelines": r"bitbucket-pipelines\.yml",
    "Travis CI": r"\.travis\.yml",
    "AppVeyor": r"\.?appveyor\.yml",
    "Drone": names.DRONE,
    "Woodpecker": names.WOODPECKER,
}
_REASON = regex(r"YAML: line (\d+): (.*)")
_BOUNDS = ("more than", "nested deeper", "merge keys", "a template", "exceeded")  # of this program, not of YAML
_TEMPLATED = regex(r"(?<!\$)\{\{|\{%|<%")


def refused(context: Context) -> Iterator[Problem]:
    """A problem for each definition that its provider would load, were it YAML."""
    for path, noted in sorted(context.documents.incomplete.items()):
        broken = _REASON.match(noted.reason)
        if broken is None or broken.group(2).startswith(_BOUNDS):
            continue
        provider = provider_named(path)
        if provider is None or re.fullmatch(_LOADS.get(provider.name, "(?!)"), path) is None:
            continue
        role = context.role(path)
        if role in ASIDE or role is Role.TEMPLATE or _TEMPLATED.search(context.documents.text(path)):
            continue  # it is YAML, if at all, only once it is rendered
        line = int(broken.group(1))
        message = f"`{path}` is not valid YAML at line {line}, so {provider.name} refuses it and nothing in it runs."
        yield Problem("MLS308", message, context.evidence(path, line).location)
