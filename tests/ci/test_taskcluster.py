"""Taskcluster: what JSON-e leaves under each event, commands, hooks, task graphs in files, taskgraph's kinds."""

from __future__ import annotations

import json

import pytest

from mlops_scan.ci.jsone import UNKNOWN, Renderer, Scope, evaluate
from mlops_scan.ci.model import Workflow
from mlops_scan.ci.taskcluster import _nearest_first
from mlops_scan.documents import yaml
from tests.ci.trees import found, job

TASK = "payload: {command: [pytest]}, metadata: {name: t}"


def kinds(workflow: Workflow, name: str = "t") -> set[str]:
    """The kinds of the triggers of a job."""
    return {trigger.kind for trigger in workflow.triggers_of(job(workflow, name))}


def tasks(text: str) -> Workflow:
    """The one workflow of a `.taskcluster.yml` of version 1."""
    (workflow,) = found({".taskcluster.yml": f"version: 1\ntasks:\n{text}"})
    return workflow


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('tasks_for == "github-push"', {"push", "tag"}),
        ('tasks_for[:19] == "github-pull-request"', {"pull_request"}),
        ('tasks_for in ["github-push", "github-pull-request"]', {"push", "tag", "pull_request"}),
        ('tasks_for == "github-push" && event.ref == "refs/heads/main"', {"push"}),
        ('tasks_for == "github-push" && event["ref"][:10] == "refs/tags/"', {"tag"}),
        ('!(tasks_for == "github-push")', {"pull_request", "release"}),
        ('tasks_for != "github-release"', {"push", "tag", "pull_request"}),
        ('tasks_for == "github-release"', {"release"}),
        ('tasks_for == "action"', {"manual"}),
        ('"x" in event.pull_request.body', {"push", "tag", "pull_request", "release"}),  # not decided: may hold
        ('tasks_for == "github-pull-request" && event.action in ["opened", "synchronize"]', {"pull_request"}),
    ],
)
def test_conditions_decide_what_starts_a_task(condition: str, expected: set[str]) -> None:
    assert kinds(tasks(f"  - $if: '{condition}'\n    then: {{{TASK}}}\n")) == expected


@pytest.mark.parametrize("condition", ["false", 'tasks_for == "no-such-event"', 'tasks_for == "github-push" && false'])
def test_a_task_that_no_event_creates_is_none(condition: str) -> None:
    assert tasks(f"  - $if: '{condition}'\n    then: {{{TASK}}}\n").jobs == ()


def test_else_let_match_and_merge() -> None:
    workflow = tasks(
        "  $let:\n    branch: {$if: 'tasks_for == \"github-push\"', then: '${event.ref}', else: x}\n"
        "    base: {payload: {image: python, env: {A: b}}}\n"
        "  in:\n    - $mergeDeep:\n        - {$eval: base}\n        - payload: {command: [make, test]}\n"
        "          metadata: {name: merged}\n"
        "    - $match:\n        'branch == \"refs/heads/main\"': {payload: {command: [make, release]},"
        " metadata: {name: main}}\n"
    )
    merged = job(workflow, "merged")
    assert (merged.image, merged.steps[0].script, merged.steps[0].env) == ("python", "make test", {"A": "b"})
    assert kinds(workflow, "main") == {"push"}


@pytest.mark.parametrize(
    ("command", "script", "errexit"),
    [
        ("[/bin/bash, -cx, 'make a && make b']", "make a && make b", False),
        ("[bash, -ec, make]", "make", True),
        ("[bash, -o, errexit, -c, make]", "make", True),
        ("[train, 'a b']", "train 'a b'", True),
        ("[[bash, -c, make]]", "make", False),
        ("[bash, run.sh]", "bash run.sh", True),
    ],
)
def test_commands(command: str, script: str, errexit: bool) -> None:
    (step,) = tasks(f"  - {{payload: {{command: {command}}}, metadata: {{name: t}}}}\n").jobs[0].steps
    assert (step.script, step.errexit) == (script, errexit)


def test_a_script_in_a_block_keeps_its_lines() -> None:
    text = "  - payload:\n      command:\n        - bash\n        - -c\n        - |\n          cd x\n          make\n"
    (step,) = tasks(text).jobs[0].steps
    assert (step.script, step.script_line) == ("cd x\nmake\n", 8)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            "git clone --quiet ${repository} && cd app && make",
            "git clone --quiet ${repository} && cd $WORKSPACE && make",
        ),
        ("git clone $REPOSITORY /code && cd /code", "git clone $REPOSITORY /code && cd $WORKSPACE"),
        ("git clone $REPOSITORY /code && cd src", "git clone $REPOSITORY /code && cd src"),
        ("git clone https://example.org/other && cd other", "git clone https://example.org/other && cd other"),
        ("cd app && make", "cd app && make"),
    ],
)
def test_the_folder_of_the_checkout_is_the_root(script: str, expected: str) -> None:
    (step,) = tasks(f"  - payload:\n      command: [bash, -c, '{script}']\n").jobs[0].steps
    assert step.script == expected


def test_version_0_names_its_events() -> None:
    (workflow,) = found(
        {
            ".taskcluster.yml": "version: 0\ntasks:\n  - payload: {command: [pytest]}\n    metadata: {name: t}\n"
            "    extra: {github: {events: [pull_request.opened, pull_request.synchronize, push]}}\n"
        }
    )
    assert kinds(workflow) == {"pull_request", "push"}


def test_a_clock_only_starts_tasks_where_there_is_one() -> None:
    text = f"version: 1\ntasks:\n  - $if: 'tasks_for == \"cron\"'\n    then: {{{TASK}}}\n"
    assert found({".taskcluster.yml": text})[0].jobs == ()
    (workflow,) = found({".taskcluster.yml": text, ".cron.yml": "jobs: []\n"})
    assert kinds(workflow) == {"schedule"}


@pytest.mark.parametrize("path", ["ci/.taskcluster.yml", "taskcluster.yml", ".taskcluster.yaml"])
def test_only_the_root_is_loaded(path: str) -> None:
    assert found({path: f"version: 1\ntasks: [{{{TASK}}}]\n"}) == []


# -- hooks and graphs ------------------------------------------------------------------------------------------------


def hook(**keys: object) -> str:
    """A hook's definition."""
    task = {"provisionerId": "p", "workerType": "w", "payload": {"command": ["python", "spawn.py", "/code/graph.yml"]}}
    return json.dumps({"metadata": {"name": "weekly"}, "task": task, "triggerSchema": {}, **keys})


GRAPH = (
    "tasks:\n  - ID: data\n    workerType: w\n    payload: {command: [get-data]}\n"
    "  - ID: train\n    workerType: w\n    dependencies: [data]\n    payload: {command: [train-model]}\n"
)
DEPLOYS = "taskboot build-hook infra/hook.json project weekly\n"


def test_a_hook_starts_the_tasks_of_the_file_that_it_names() -> None:
    tree = {"infra/hook.json": hook(schedule=["0 0 1 * *"]), "infra/graph.yml": GRAPH, "deploy.sh": DEPLOYS}
    graph, own = sorted(found(tree), key=lambda workflow: workflow.path)
    assert (own.unloaded, [(t.kind, t.detail) for t in own.triggers]) == ("", [("schedule", "0 0 1 * *")])
    assert [(j.id, j.needs, j.steps[0].script) for j in graph.jobs] == [
        ("data", (), "get-data"),
        ("train", ("data",), "train-model"),
    ]
    assert kinds(graph, "train") == {"schedule"}


def test_a_hook_that_nothing_creates_is_not_loaded_and_starts_nothing() -> None:
    (own,) = found({"infra/hook.json": hook(schedule=["0 0 1 * *"]), "infra/graph.yml": GRAPH})
    assert own.unloaded and own.path == "infra/hook.json"


def test_each_of_several_hooks_is_created_by_who_names_it_wherever_that_stands() -> None:
    tree = {
        "a/x/one.json": hook(), "a/x/two.json": hook(), "a/notes.yml": "text: [two.json]\n",
        "z/deploy.sh": "taskboot build-hook one.json project weekly\n", "b/three.json": hook(),
    }  # fmt: skip
    assert {own.path: bool(own.unloaded) for own in found(tree)} == {
        "a/x/one.json": False, "a/x/two.json": False, "b/three.json": True,
    }  # fmt: skip


def test_what_names_a_hook_is_looked_for_nearby_first() -> None:
    paths = ["a.sh", "b/a.sh", "a/a.sh", "a/x/y/a.sh", "a/x/a.sh"]
    assert _nearest_first(paths, {"a", "a/x"}) == ["a/x/y/a.sh", "a/x/a.sh", "a/a.sh", "a.sh", "b/a.sh"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"bindings": [{"exchange": "e", "routingKeyPattern": "k"}]}, {"external"}),
        ({}, {"manual"}),
        ({"schedule": []}, {"manual"}),
    ],
)
def test_what_starts_a_hook(keys: dict[str, object], expected: set[str]) -> None:
    (own,) = found({"infra/hook.json": hook(**keys), "deploy.sh": DEPLOYS})
    assert {trigger.kind for trigger in own.triggers} == expected


def test_a_file_that_no_task_names_or_that_is_another_format_is_no_graph() -> None:
    assert found({"infra/graph.yml": GRAPH}) == []
    other = {"infra/hook.json": hook(), "deploy.sh": DEPLOYS, "graph.yml": "tasks: [{name: a, command: b}]\n"}
    assert [workflow.path for workflow in found(other)] == ["infra/hook.json"]


# -- taskgraph -------------------------------------------------------------------------------------------------------

DECISION = (
    'version: 1\ntasks:\n  - $if: \'tasks_for in ["github-push", "github-pull-request"]\'\n    then:\n'
    "      metadata: {name: decision}\n      payload: {command: [bash, -c, 'taskgraph decision --root taskcluster']}\n"
)
KIND = (
    "task-defaults:\n  worker: {env: {A: b}}\n"
    "tasks:\n  unit:\n    run: {using: run-task, cwd: '{checkout}', command: pytest tests}\n"
    "    run-on-tasks-for: [github-pull-request]\n"
    "  nightly:\n    run-on-tasks-for: []\n    dependencies: {unit: test-unit}\n"
    "    run: {using: run-task, command: [bash, -c, 'train.sh']}\n"
)


def test_kinds_are_the_tasks_of_the_decision_task() -> None:
    tree = {".taskcluster.yml": DECISION, "taskcluster/kinds/test/kind.yml": KIND}
    kind = found(tree)[1]
    assert (kind.unloaded, kinds(kind, "test-unit"), kinds(kind, "test-nightly")) == ("", {"pull_request"}, {"manual"})
    unit, nightly = job(kind, "test-unit"), job(kind, "test-nightly")
    assert (unit.steps[0].script, unit.steps[0].env) == ("pytest tests", {"A": "b"})
    assert (nightly.steps[0].script, nightly.needs) == ("train.sh", ("test-unit",))


ALL = "tasks:\n  all:\n    run-on-tasks-for: [EVENT]\n    worker-type: succeed\n"
TRAIN = (
    "tasks:\n  'm-{lang}':\n    run-on-tasks-for: []\n    dependencies: {corpus: 'corpus-{lang}'}\n"
    "    fetches: {toolchain: [trainer]}\n    run: {command: train.sh}\n"
)


def graph(**kinds_: str) -> dict[str, Workflow]:
    """The workflows of some kinds, each with the one task that is by itself started by nothing."""
    named = {f"taskcluster/kinds/{name}/kind.yml": text for name, text in kinds_.items()}
    alone = "tasks:\n  NAME:\n    run-on-tasks-for: []\n    run: {command: make}\n"
    for kind, name in (("corpus", "'{lang}'"), ("toolchain", "trainer"), ("other", "x")):
        named[f"taskcluster/kinds/{kind}/kind.yml"] = alone.replace("NAME", name)
    return {w.path.split("/")[2]: w for w in found({".taskcluster.yml": DECISION, **named}) if "/" in w.path}


@pytest.mark.parametrize(
    ("leaf", "event", "expected"),
    [
        ("kind-dependencies: [train]\n" + ALL + "    from-deps: {group-by: all}\n", "github-push", {"push"}),
        ("kind-dependencies: [train]\n" + ALL + "    from-deps: {}\n", "github-pull-request", {"pull_request"}),
        ("kind-dependencies: [other]\n" + ALL + "    from-deps: {kinds: [train]}\n", "github-push", {"push"}),
        (ALL + "    dependencies: {train: 'train-m-{locale}'}\n", "github-push", {"push"}),
        ("kind-dependencies: [train]\n" + ALL + "    from-deps: {}\n", "", {"manual"}),
        ("kind-dependencies: [train]\n" + ALL, "github-push", {"manual"}),  # only the order in which kinds are read
        ("kind-dependencies: [other]\n" + ALL + "    from-deps: {}\n", "github-push", {"manual"}),
        (ALL + "    # dependencies: {train: 'train-m-{locale}'}\n", "github-push", {"manual"}),
        (ALL + "    dependencies: {train: 'train-n-{locale}'}\n", "github-push", {"manual"}),
    ],
    ids=[
        "kinds",
        "pull request",
        "own kinds",
        "label",
        "leaf by hand",
        "order",
        "other kind",
        "comment",
        "other label",
    ],
)
def test_what_a_started_task_depends_on_is_started(leaf: str, event: str, expected: set[str]) -> None:
    kind = graph(leaf=leaf.replace("EVENT", event), train=TRAIN)
    assert kinds(kind["train"], "train-m-{lang}") == expected
    assert kinds(kind["corpus"], "corpus-{lang}") == kinds(kind["toolchain"], "toolchain-trainer") == expected
    assert {trigger.kind for trigger in kind["train"].triggers} == expected


def test_tasks_that_depend_on_each_other_end() -> None:
    one = "tasks:\n  a:\n    run-on-tasks-for: [github-push]\n    dependencies: {b: two-b}\n"
    two = "tasks:\n  b:\n    run-on-tasks-for: [github-pull-request]\n    dependencies: {a: one-a}\n"
    kind = graph(one=one, two=two)
    assert kinds(kind["one"], "one-a") == kinds(kind["two"], "two-b") == {"push", "pull_request"}


def test_each_event_may_have_a_decision_task_of_its_own() -> None:
    pushed = DECISION.replace(', "github-pull-request"', "")
    both = pushed + pushed.partition("tasks:\n")[2].replace("github-push", "github-pull-request")
    for text, expected in ((both, {"pull_request"}), (pushed, {"manual"})):
        kind = found({".taskcluster.yml": text, "taskcluster/kinds/test/kind.yml": KIND})[1]
        assert kinds(kind, "test-unit") == expected


def test_kinds_without_a_decision_task_are_not_loaded() -> None:
    tree = {".taskcluster.yml": f"version: 1\ntasks: [{{{TASK}}}]\n", "taskcluster/ci/test/kind.yml": KIND}
    assert "taskgraph decision" in found(tree)[1].unloaded


def test_tasks_from_another_file_and_values_that_depend() -> None:
    tree = {
        ".taskcluster.yml": DECISION,
        "taskcluster/kinds/t/kind.yml": "tasks-from: [more.yml]\n",
        "taskcluster/kinds/t/more.yml": "a:\n  run: {command: {by-level: {'3': x.sh, default: y.sh}}}\n",
    }
    (step,) = job(found(tree)[1], "t-a").steps
    assert (step.script, step.path, step.line) == ("y.sh", "taskcluster/kinds/t/more.yml", 2)


# -- expressions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression", ["a b", "(", "f(x)", "1 +", "", "x" * 3000, "not " * 500 + "x", "a[1:2:3]", "__import__('os')"]
)
def test_what_is_not_understood_is_unknown(expression: str) -> None:
    assert evaluate(expression, Scope({"a": 1}, {})) is UNKNOWN


def test_names_that_stand_for_each_other_end() -> None:
    (node,) = yaml.parse("$let: {a: '${b}', b: '${a}', c: {$eval: c}}\nin: [{$eval: a}, {$eval: c}]\n")
    assert len(Renderer({}).render(node)) == 1


def test_a_template_that_multiplies_is_cut() -> None:
    lines = "\n".join(f"  a{i}: {{$flatten: [{{$eval: a{i - 1}}}, {{$eval: a{i - 1}}}]}}" for i in range(1, 40))
    (node,) = yaml.parse(f"$let:\n  a0: [x]\n{lines}\nin: {{$eval: a39}}\n")
    renderer = Renderer({})
    renderer.render(node)
    assert renderer.left < 0
