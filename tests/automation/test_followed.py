"""What a script led to serves again only where everything that matters is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.automation import followed
from mlops_scan.automation.alone import Loners
from mlops_scan.automation.model import Run
from mlops_scan.automation.scripts import Scripts
from mlops_scan.detectors.base import Context
from tests.automation.trees import runs
from tests.trees import TRAIN, context_of

TREE = {
    "train.py": TRAIN,
    "eval.py": TRAIN,
    "run.sh": "set -e\nMODE=fast\npython $SCRIPT --mode $MODE\nbash inner.sh\n",
    "inner.sh": "set -e\npython ${OTHER}\n",
}


def _workflow(*envs: str) -> str:
    steps = "".join(f"      - run: bash run.sh\n        env: {{{env}}}\n" for env in envs)
    return f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n{steps}"


def _words(context: Context) -> list[tuple[str, ...]]:
    return [run.words for run in context.automation.runs if run.words[:1] == ("python",)]


def test_variables_that_are_asked_for_decide(tmp_path: Path) -> None:
    envs = (
        "SCRIPT: train.py, OTHER: eval.py",
        "SCRIPT: train.py, OTHER: eval.py, MODE: slow, UNUSED: x",
        "SCRIPT: eval.py, OTHER: eval.py",
        "SCRIPT: eval.py, OTHER: train.py",
        "SCRIPT: eval.py",
    )
    found = _words(context_of(tmp_path, {**TREE, ".github/workflows/a.yml": _workflow(*envs)}))
    outer = [("python", script, "--mode", "fast") for script in ("train.py", "train.py", *["eval.py"] * 3)]
    inner = [("python", name) for name in ("eval.py", "eval.py", "eval.py", "train.py", "${OTHER}")]
    assert found == [words for pair in zip(outer, inner, strict=True) for words in pair]


def _followed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The scripts that are followed rather than remembered."""
    paths: list[str] = []
    follow = Scripts._followed_commands

    def counted(self: Scripts, script: object, path: str, *rest: object) -> object:
        paths.append(path)
        return follow(self, script, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Scripts, "_followed_commands", counted)
    return paths


def test_variables_that_nobody_asks_for_cost_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = _followed(monkeypatch)
    envs = [f"SCRIPT: train.py, OTHER: eval.py, NUMBER: n{number}" for number in range(30)]
    context = context_of(tmp_path, {**TREE, ".github/workflows/a.yml": _workflow(*envs)})
    assert len(_words(context)) == 60
    assert paths.count("run.sh") == paths.count("inner.sh") == 1


def test_of_very_many_values_only_some_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "_MAX_ALIKE", 3)
    paths = _followed(monkeypatch)
    envs = [f"SCRIPT: s{number}.py, OTHER: eval.py" for number in (*range(6), 0, 5)]
    context = context_of(tmp_path, {**TREE, ".github/workflows/a.yml": _workflow(*envs)})
    assert [words[1] for words in _words(context)[::2]] == [f"s{number}.py" for number in (*range(6), 0, 5)]
    assert paths.count("run.sh") == 7
    assert all(isinstance(run, Run) for run in context.automation.runs)


NESTED = {
    "Makefile": "one:\n\tbash run.sh\ntwo: one\nthree:\n\tbash outer.sh\n",
    "outer.sh": "set -e\nbash run.sh\n",
    "run.sh": "set -e\npython train.py\n",
    "train.py": TRAIN,
}


def _steps(*commands: str) -> str:
    steps = "".join(f"      - run: {command}\n" for command in commands)
    return f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n{steps}"


def test_the_way_to_a_script_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = _followed(monkeypatch)
    ways = ("bash run.sh", "make one", "make two", "make three", "bash outer.sh")
    context = context_of(tmp_path, {**NESTED, ".github/workflows/a.yml": _steps(*ways)})
    found = [run for run in context.automation.runs if run.words[:1] == ("python",)]
    assert [len(run.chain) for run in found] == [2, 3, 3, 4, 3]
    assert paths.count("run.sh") == 1


def test_a_cycle_is_cut_where_the_way_led_through_it(tmp_path: Path) -> None:
    tree = {"a.sh": "set -e\npython train.py\nbash b.sh\n", "b.sh": "set -e\nbash a.sh\n", "train.py": TRAIN}
    steps = _steps("bash a.sh", "bash b.sh", "bash a.sh")
    context = context_of(tmp_path, {**tree, ".github/workflows/a.yml": steps})
    shown = [" ".join(run.words) for run in context.automation.runs if run.words[0] != "set"]
    first, second = ["bash a.sh", "python train.py", "bash b.sh", "bash a.sh"], ["bash b.sh", "bash a.sh"]
    assert shown == [*first, *second, "python train.py", "bash b.sh", *first]


def test_a_chain_ends_at_the_same_hop_whoever_came_there_before(tmp_path: Path) -> None:
    tree = {f"s{n}.sh": f"set -e\nbash s{n + 1}.sh\n" for n in range(9)} | {"s9.sh": "set -e\npython train.py\n"}
    alone = _ends(tmp_path / "alone", {**tree, ".github/workflows/a.yml": _steps("bash s0.sh")})
    after = _ends(tmp_path / "after", {**tree, ".github/workflows/a.yml": _steps("bash s4.sh", "bash s0.sh")})
    assert alone[0] == after[1] == ("bash", "s7.sh")
    assert after[0] == ("python", "train.py")


def _ends(folder: Path, tree: dict[str, str]) -> list[tuple[str, ...]]:
    """The last commands of each chain: what is not followed, and the code."""
    folder.mkdir()
    runs = context_of(folder, {**tree, "train.py": TRAIN}).automation.runs
    return [run.words for run in runs if run.words[0] == "python" or (run.unresolved and run.words[0] == "bash")]


COMMANDS = """\
echo start && az login --service-principal
cd sub; make all; npm test; kubectl apply -f k8s.yaml; az ml job create -f job.yml; gcloud builds submit .
dvc repro; mlflow run .; cdk deploy; npx cdk deploy; hatch run go; mytool --x; docker build .; sbatch run.sh
popd; pushd; sh -c "python a.py"; mpirun python a.py; ./run.sh; pytest tests; uvicorn app:app; anyscale job.yaml
snakemake -s Snakefile; argo submit wf.yaml; spacy project run all; databricks bundle run x; source run.sh; exit 1
"""


@pytest.mark.parametrize("errexit", [True, False])
def test_a_command_that_leads_nowhere_runs_as_any_other(monkeypatch: pytest.MonkeyPatch, errexit: bool) -> None:
    tree = {
        "Makefile": "all:\n\techo made\n", "sub/Makefile": "all:\n\techo below\n", "run.sh": "echo run\nfoo\n",
        "job.yml": "command: python a.py\n", "sub/job.yml": "command: python b.py\n", "a.py": TRAIN,
        "pyproject.toml": '[project]\nname = "x"\n[project.scripts]\nmytool = "a:main"\n',
        "cdk.json": '{"app": "python a.py"}',
        "cloudbuild.yaml": "steps:\n  - {name: x, script: echo built}\n",
        "dvc.yaml": "stages: {a: {cmd: python a.py}}\n",
    }  # fmt: skip
    quick = runs(COMMANDS, tree, errexit=errexit)
    monkeypatch.setattr(Loners, "look", lambda *_: False)
    assert runs(COMMANDS, tree, errexit=errexit) == quick
    assert len(quick) > 30
