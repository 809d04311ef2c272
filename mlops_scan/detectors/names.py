"""The names of models, data sets and endpoints that main code, configuration and commands hold."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.fingerprints.assets import AssetMatcher, Named


@kept
def named_assets(context: Context) -> tuple[Named, ...]:
    """Every place that names an asset, those of the tools that this repository itself is left out."""
    found = (item for item in _named(context) if item.rule.tool not in context.self_tools)
    return tuple(dict.fromkeys(found))


def _named(context: Context) -> Iterator[Named]:
    matcher = AssetMatcher(context.rules.assets)
    for _, module in sorted(context.modules(), key=lambda pair: pair[0]):
        yield from matcher.in_module(context.index, module)
    for file in context.written_in("yaml", "json", "toml"):
        if file.path in context.parsed:
            yield from matcher.in_documents(file.path, context.documents.nodes(file.path))
    naming = {words for words in context.commands() if words and matcher.begins(words[0])}
    for run in context.automation.runs if naming else ():
        if run.words in naming and context.role(run.location.path) not in ASIDE:
            yield from matcher.in_command(run.words, run.location)
