from __future__ import annotations

from mlops_scan.automation.cijobs import ci_runs
from mlops_scan.automation.graph import Automation
from mlops_scan.ci.find import workflows
from mlops_scan.code.index import Node
from mlops_scan.words import Evidence, Hop
from tests.automation.trees import resolver_of

TREE = {
    ".github/workflows/nightly.yml": (
        "on:\n  schedule:\n    - cron: '0 2 * * *'\njobs:\n  a:\n    steps:\n      - run: make train\n"
    ),
    ".github/workflows/test.yml": "on: push\njobs: {a: {steps: [{run: pytest}]}}\n",
    "Makefile": "train:\n\tpython main.py\n",
    "main.py": (
        "from lib.model import train\n\n\ndef helper():\n    train()\n\n\nif __name__ == '__main__':\n    helper()\n"
    ),
    "lib/__init__.py": "",
    "lib/model.py": "from lib.data import load\n\n\ndef train():\n    return load()\n\n\ndef unused():\n    pass\n",
    "lib/data.py": "def load():\n    return 1\n",
    "tests/test_model.py": "from lib.model import train\n\n\ndef test_train():\n    assert train()\n",
}


def automation(tree: dict[str, str]) -> Automation:
    resolver = resolver_of(tree)
    found = tuple(workflows(resolver.documents))
    runs = ci_runs(found, resolver, resolver.documents)
    return Automation(resolver.index, found, (), runs)


def places(chain: tuple[Evidence, ...]) -> list[tuple[str, int, Hop]]:
    return [(e.location.path, e.location.line, e.hop) for e in chain]


def test_the_chain_is_in_the_order_of_events() -> None:
    by_clock, by_test = automation(TREE).started(("lib/data.py", "load"))
    assert places(by_clock.chain) == [
        (".github/workflows/nightly.yml", 3, Hop.TRIGGER),
        (".github/workflows/nightly.yml", 7, Hop.USE),
        ("Makefile", 2, Hop.USE),
        ("main.py", 5, Hop.USE),
        ("lib/model.py", 5, Hop.USE),
    ]
    assert by_clock.chain[2].text == "python main.py"
    assert places(by_test.chain)[0] == (".github/workflows/test.yml", 1, Hop.TRIGGER)
    assert places(by_test.chain)[-1] == ("lib/model.py", 5, Hop.USE)
    assert by_test.run.tests == ("tests/test_model.py",)


def test_what_nothing_starts() -> None:
    found = automation(TREE)
    assert found.started(("lib/model.py", "unused")) == []
    assert found.started(("nowhere.py", "")) == []


def test_entries_of_tests_are_all_their_functions() -> None:
    found = automation(TREE)
    (run,) = [run for run in found.runs if run.tests]
    assert found.entries(run) == (("tests/test_model.py", ""), ("tests/test_model.py", "test_train"))


def test_long_chains_show_their_ends() -> None:
    tree = {".github/workflows/a.yml": "on: push\njobs: {a: {steps: [{run: python m0.py}]}}\n"}
    for i in range(9):
        tree[f"m{i}.py"] = f"import m{i + 1}\n"
    tree["m9.py"] = "def f(): pass\nf()\n"
    (started,) = automation(tree).started(("m9.py", "f"))
    assert [path for path, _, _ in places(started.hops)] == ["m0.py", "m1.py", "m6.py", "m7.py", "m8.py"]


def test_circles_of_calls_end() -> None:
    tree = {
        ".github/workflows/a.yml": "on: push\njobs: {a: {steps: [{run: python a.py}]}}\n",
        "a.py": "import b\ndef f(): b.g()\nf()\n",
        "b.py": "import a\ndef g(): a.f()\n",
    }
    found = automation(tree)
    node: Node = ("b.py", "g")
    assert len(found.started(node)) == 1
    assert set(found.reached(found.runs[0])) >= {("a.py", ""), ("a.py", "f"), ("b.py", ""), node}
