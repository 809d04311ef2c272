"""Flows of Prefect that code deploys: `train_flow.deploy(…)`, a method that a decorator gives a function.

Fact: https://docs.prefect.io/v3/how-to-guides/deployments/deploy-via-python
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from mlops_scan.code.index import CodeIndex
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Location

_FLOW = regex(r"prefect\.(?:flows\.)?flow")
_DEPLOYS = ".deploy"
_BETWEEN = (".from_source", ".with_options")  # each gives a flow back


def deployed_flows(uses: Iterable[Use], index: CodeIndex) -> Iterator[Use]:
    """The calls that deploy a flow of the repository itself, as uses of the tool that defines it."""
    defined = {use.location.path: use for use in uses if "define-pipeline" in use.does and _FLOW.fullmatch(use.name)}
    for path, module in index.modules.items() if defined else ():
        for call in module.calls if "prefect" in module.roots or path in defined else ():
            if not call.name.endswith(_DEPLOYS):
                continue
            name = call.name.removesuffix(_DEPLOYS)
            for part in _BETWEEN:
                name = name.removesuffix(part)
            target = index.resolve(path, name)
            use = defined.get(target.path) if target.first_party else None
            function = index.modules[target.path].functions.get(target.qualname) if use is not None else None
            if use is not None and function is not None and any(map(_FLOW.fullmatch, function.decorators)):
                place = Location(path, call.line, call.end_line)
                yield replace(
                    use, location=place, scope=call.scope, name=call.name, serves=(), does=("deploy-pipeline",)
                )
