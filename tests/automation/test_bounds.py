"""What starts one another many times is cut, said, and costs no more than a bound; work is counted, not timed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.automation import scripts
from mlops_scan.automation.followed import Shares
from mlops_scan.automation.graph import Automation
from mlops_scan.detectors.base import Context
from tests.trees import ML, Tree, context_of, scan_tree

CI = ".github/workflows/a.yml"
RUN = "      - run: python train.py\n"


def _jobs(*jobs: str) -> str:
    return "on: push\njobs:\n" + "".join(f"  j{n}:\n{job}" for n, job in enumerate(jobs))


def _steps(*steps: str) -> str:
    return "    runs-on: x\n    steps:\n" + "".join(steps)


def _calls(name: str) -> str:
    return f"    uses: ./.github/workflows/{name}.yml\n"


def _called(*jobs: str) -> str:
    return _jobs(*jobs).replace("on: push", "on: workflow_call")


REUSED: Tree = {
    CI: _jobs(*[_calls("b")] * 40),
    ".github/workflows/b.yml": _called(*[_calls("c")] * 40),
    ".github/workflows/c.yml": _called(*[_steps(RUN)] * 40),
}
ACTIONS: Tree = {
    CI: _jobs(_steps(*["      - uses: ./one\n"] * 200)),
    "one/action.yml": "runs:\n  using: composite\n  steps:\n" + "    - uses: ./two\n" * 20,
    "two/action.yml": "runs:\n  using: composite\n  steps:\n" + "    - run: python train.py\n      shell: bash\n" * 20,
}
TARGETS: Tree = {
    CI: _jobs(*[_steps("      - run: make l0\n")] * 10),
    "Makefile": "".join(f"l{n}:\n" + f"\t$(MAKE) l{n + 1}\n" * 30 for n in range(8)) + "l8:\n\tpython train.py\n",
}
MANY: Tree = {CI: _jobs(_steps(RUN * 11_000))}


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        (REUSED, "10 000 commands of one file"),
        (ACTIONS, "10 000 commands of one file"),
        (MANY, "10 000 commands of one file"),
        (TARGETS, "more than 3000 commands"),
    ],
    ids=["workflows", "actions", "steps", "targets"],
)
def test_what_one_file_starts_is_bounded_and_said(tmp_path: Path, tree: Tree, reason: str) -> None:
    context = context_of(tmp_path, {**ML, **tree})
    assert 100 < len(context.automation.runs) <= scripts.MAX_OF_FILE
    assert reason in context.documents.incomplete[CI].reason


def test_what_a_repository_starts_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "MAX_IN_ALL", 50)
    tree = {f".github/workflows/{n}.yml": _jobs(_steps(RUN * 10)) for n in range(10)}
    context = context_of(tmp_path, {**ML, **tree})
    assert len(context.automation.runs) <= 50
    assert "more than 50 commands, the rest" in context.documents.incomplete[".github/workflows/9.yml"].reason
    assert ".github/workflows/0.yml" not in context.documents.incomplete


def test_a_script_that_leads_to_too_much_says_so(tmp_path: Path) -> None:
    scripts = {f"s{n}.sh": f"bash s{n + 1}.sh\n" * 40 for n in range(4)}
    tree = {**ML, **scripts, "s4.sh": "python train.py\n", CI: _jobs(_steps("      - run: bash s0.sh\n"))}
    context = context_of(tmp_path, tree)
    assert "a script leads to more than 3000 commands" in context.documents.incomplete[CI].reason


def test_a_long_workflow_is_followed_whole(tmp_path: Path) -> None:
    context = context_of(tmp_path, {**ML, CI: _jobs(*[_steps(RUN * 10)] * 500)})
    assert len(context.automation.runs) == 5_000
    assert not context.documents.incomplete


def _counted(context: Context, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A count of the questions what a run reaches, from now on."""
    asked = [0]
    reached = Automation.reached

    def count(self: Automation, run: object) -> object:
        asked[0] += 1
        return reached(self, run)  # type: ignore[arg-type]

    monkeypatch.setattr(Automation, "reached", count)
    return asked


@pytest.mark.parametrize("deploys", [False, True], ids=["trains", "deploys beside tests"])
def test_work_grows_with_the_number_of_jobs_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deploys: bool
) -> None:
    counts = []
    for size in (100, 400):
        asked = _counted(context_of(tmp_path / "x", ML), monkeypatch)
        command = "databricks bundle deploy -t prod" if deploys else "python train.py"
        jobs = [
            f"    needs: [j{max(0, n - 1)}]\n" * bool(n) + _steps(f"      - run: {command if n % 2 else 'pytest'}\n")
            for n in range(size)
        ]
        test = "from train import train\n\n\ndef test_a():\n    assert train('a', 'b')\n"
        scan_tree(tmp_path / str(size), {**ML, "tests/test_a.py": test, CI: _jobs(*jobs)})
        counts.append(asked[0])
        monkeypatch.undo()
    assert counts[1] <= counts[0] * 4 * 1.5


def test_of_many_runs_alike_the_first_start_a_node(tmp_path: Path) -> None:
    tree = {**ML, CI: _jobs(*[_steps(RUN)] * 300, "    if: false\n" + _steps(RUN))}
    started = context_of(tmp_path, tree).started("train.py", "__main__")
    assert 1 < len(started) < 100
    assert {bool(item.run.start.blocked) for item in started} == {False, True}


_NESTED: Tree = {
    CI: _jobs(
        _steps("      - run: bash s0.sh\n"),
        _steps(
            "      - run: bash s0.sh\n", "      - run: bash s0.sh || true\n", "      - run: cd a && bash ../s0.sh\n"
        ),
        _steps("      - run: source s1.sh\n        env:\n          WHAT: train.py\n", "      - run: bash s1.sh\n"),
    ),
    "s0.sh": "set -e\nbash s1.sh\ncd a\nbash ../s1.sh | tee log\nmake all\n",
    "s1.sh": "python $WHAT\nbash s0.sh\npython train.py\nbash s2.sh\n",
    "s2.sh": "pytest a\ndocker run x python train.py\nbash gone.sh\n",
    "a/test_it.py": "import train\n",
    "Makefile": "all: one\n\tbash s2.sh\none:\n\t-python train.py\n",
}
_LONG: Tree = {
    CI: _jobs(_steps(*["      - run: bash s0.sh\n"] * 3, "      - run: |\n" + "          bash s0.sh\n" * 3)),
    "s0.sh": "bash s1.sh\n" * 12,
    "s1.sh": "bash s2.sh\n" * 12,
    "s2.sh": "python train.py\ncd a\n" * 8,
}


@pytest.mark.parametrize(
    "tree",
    [REUSED, ACTIONS, MANY, TARGETS, _NESTED, _LONG],
    ids=["workflows", "actions", "steps", "targets", "nested", "long"],
)
@pytest.mark.parametrize("most", [scripts.MAX_IN_ALL, 5_000, 37])
def test_what_was_followed_once_is_what_following_it_again_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tree: Tree, most: int
) -> None:
    monkeypatch.setattr(scripts, "MAX_IN_ALL", most)
    kept = context_of(tmp_path, {**ML, **tree})
    monkeypatch.setattr(Shares, "affords", lambda *_: False)
    again = context_of(tmp_path, {**ML, **tree})
    assert kept.automation.runs == again.automation.runs
    assert kept.documents.incomplete == again.documents.incomplete
    assert vars(kept.resolver._scripts._shares) == vars(again.resolver._scripts._shares)
