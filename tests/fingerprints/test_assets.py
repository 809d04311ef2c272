"""The rules of assets hold on their own samples, and what they cannot know stays unsaid."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mlops_scan.assetrules import AssetRule, AssetSample
from mlops_scan.code.build import Source, build
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.shell import parse, unwrap
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.fingerprints.assets import AssetMatcher, Named
from mlops_scan.fingerprints.samples import check_assets
from mlops_scan.rulebook import load
from mlops_scan.words import Location

RULES = load(cache=False).assets


def named(rules: tuple[AssetRule, ...], tree: dict[str, str]) -> list[Named]:
    matcher = AssetMatcher(rules)
    documents = Documents.of(tree)
    modules = [build(Source(path, text, False)).module for path, text in tree.items() if language_of(path) == "python"]
    index = CodeIndex([module for module in modules if module is not None])
    found = [item for module in index.modules.values() for item in matcher.in_module(index, module)]
    for path, text in tree.items():
        if language_of(path) == "shell":
            for command in parse(text).commands:
                found += matcher.in_command(unwrap(command.words), Location(path, command.line))
        elif language_of(path) != "python":
            found += matcher.in_documents(path, documents.nodes(path))
    return found


def shown(found: list[Named]) -> list[str]:
    return [f"{item.name}@{item.version}" if item.version else item.name for item in found]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_samples_of_a_rule(rule: AssetRule) -> None:
    assert list(check_assets([rule])) == []


def test_samples_that_do_not_hold() -> None:
    rule = next(rule for rule in RULES if rule.id == "hub-models")
    good, *_ = (sample for sample in rule.samples if sample.expect)
    wrong = replace(good, expect=("another",))
    assert list(check_assets([replace(rule, samples=(wrong,))])) == [
        "assets/hub-models: needs a sample that must match and one that must not",
        f"assets/hub-models: sample 1 (load.py) names {good.expect[0]}, expected another",
    ]
    silent = AssetSample("load.py", good.text, ())
    assert list(check_assets([replace(rule, samples=(good, silent))])) == [
        f"assets/hub-models: sample 2 (load.py) names {good.expect[0]}, expected nothing",
    ]


def test_a_constant_of_another_module_is_followed() -> None:
    tree = {
        "settings.py": 'MODEL = "org/base-7b"\n',
        "load.py": "from transformers import AutoModel\nfrom settings import MODEL\nAutoModel.from_pretrained(MODEL)\n",
    }
    assert shown(named(RULES, tree)) == ["org/base-7b"]


@pytest.mark.parametrize(
    "argument", ['f"{org}/base"', '"Answer in one sentence, please"', '"a" * 3', '"x' + "y" * 300 + '"']
)
def test_what_is_no_name_is_left_out(argument: str) -> None:
    tree = {"load.py": f"from transformers import AutoModel\nAutoModel.from_pretrained({argument})\n"}
    assert not named(RULES, tree)
