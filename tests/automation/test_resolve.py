from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.words import Hop
from tests.automation.trees import ORIGIN, a_start, commands, entered, resolver_of, runs

TREE = {
    "train.py": "import a\nif __name__ == '__main__':\n    a.x()\n",
    "a.py": "def x(): pass\n",
    "scripts/run.sh": "python train.py\n",
    "scripts/train.sh": "#!/bin/bash\nset -e\npython src/model/train.py --epochs 3\n",
    "src/model/train.py": "def main(): pass\n",
    "src/model/__init__.py": "",
    "src/model/__main__.py": "import model.train\n",
    "app/main.py": "app = 1\ndef create(): pass\n",
    "nb/explore.ipynb": "{}",
}


# -- scripts and programs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("python train.py", "train.py"),
        ("python3 -u ./train.py --lr 1", "train.py"),
        ("python src/model/train.py", "src/model/train.py"),
        ("cd src && python model/train.py", "src/model/train.py"),
        ("cd src/model\npython train.py", "src/model/train.py"),
        ("pushd src\npopd\npython train.py", "train.py"),
        ("(cd src/model && ls)\npython train.py", "train.py"),
        ("(cd src; (cd model; python train.py))", "src/model/train.py"),
        ("(cd src; ls); (cd model; ls)\npython ./train.py", "train.py"),
        ("./scripts/train.sh", "src/model/train.py"),
        ("bash scripts/train.sh", "src/model/train.py"),
        ("bash -eu -o pipefail scripts/train.sh x", "src/model/train.py"),
        ("sh -x ./scripts/train.sh", "src/model/train.py"),
        ("source scripts/train.sh", "src/model/train.py"),
        (". ./scripts/train.sh", "src/model/train.py"),
        ('bash -c "python train.py"', "train.py"),
        ("bash -lc 'cd src && python model/train.py'", "src/model/train.py"),
        ("exec ./scripts/train.sh", "src/model/train.py"),
        ("chmod +x scripts/train.sh && scripts/train.sh", "src/model/train.py"),
        ('"$GITHUB_WORKSPACE/scripts/train.sh"', "src/model/train.py"),
        ("${{ github.workspace }}/scripts/train.sh", "src/model/train.py"),
        ("DIR=scripts\nbash $DIR/train.sh", "src/model/train.py"),
        ("export SCRIPT=train.py\npython ${SCRIPT}", "train.py"),
        ("poetry run python train.py", "train.py"),
        ("uv run train.py", "train.py"),
        ("conda run -n x python train.py", "train.py"),
        ("torchrun --nproc_per_node 2 train.py --x", "train.py"),
        ("torchrun --nproc_per_node=2 -m model.train", "src/model/train.py"),
        ("accelerate launch --num_processes 2 train.py", "train.py"),
        ("accelerate launch --config_file conf.py train.py", "train.py"),
        ("python -m torch.distributed.launch --nproc_per_node=2 train.py", "train.py"),
        ("python -m accelerate.commands.launch train.py", "train.py"),
        ("spark-submit --py-files a.py train.py", "train.py"),
        ("deepspeed --num_gpus 2 train.py", "train.py"),
        ("mpirun -np 4 python train.py", "train.py"),
        ("srun bash scripts/train.sh", "src/model/train.py"),
        ("sbatch scripts/train.sh", "src/model/train.py"),
        ("streamlit run app/main.py", "app/main.py"),
        ("python -m streamlit run app/main.py", "app/main.py"),
        ("papermill nb/explore.ipynb out.ipynb -p a 1", "nb/explore.ipynb"),
        ("jupyter nbconvert --to notebook --execute nb/explore.ipynb", "nb/explore.ipynb"),
        ("jupyter execute nb/explore.ipynb", "nb/explore.ipynb"),
        ("python -m jupyter nbconvert --execute nb/explore.ipynb", "nb/explore.ipynb"),
        ("python -m model.train", "src/model/train.py"),
        ("python -m model", "src/model/__main__.py"),
        ("python src/model", "src/model/__main__.py"),
        ("uvicorn app.main:app --port 80", "app/main.py"),
        ("gunicorn -k uvicorn.workers.UvicornWorker -b 0.0.0.0:80 app.main:app", "app/main.py"),
        ("python -m uvicorn app.main:app", "app/main.py"),
        ("flask --app app.main run", "app/main.py"),
        ("celery -A app.main worker", "app/main.py"),
        ("fastapi run app/main.py", "app/main.py"),
        ("python -c 'from model.train import main; main()'", "src/model/train.py"),
        ("time timeout 3600 nohup python train.py > log 2>&1", "train.py"),
        ("docker run --rm -v $PWD:/w image python train.py", "train.py"),
        ("docker exec box python train.py", "train.py"),
        ("docker compose run --rm web python train.py", "train.py"),
    ],
)
def test_programs(command: str, path: str) -> None:
    assert path in entered(command, TREE), runs(command, TREE)


def test_an_import_that_nothing_calls_enters_nothing() -> None:
    """A smoke test of an import ends before a framework could call what the module registers with it."""
    assert entered("python -c 'from model.train import main; print(1)'", TREE) == []
    assert "src/model/train.py" in entered("python -c 'import model.train'", TREE)


@pytest.mark.parametrize(
    "command",
    [
        "jupyter nbconvert --to html nb/explore.ipynb",
        "python --version",
        "bash -n scripts/train.sh",
        "echo python train.py",
        "cat train.py",
        "python $SCRIPT",
        "cd src/model",
        "uvicorn --host 0.0.0.0:80",
        "docker run python:3.12 ls",
        "python train.py --help",
        "./scripts/train.sh -h",
        "uv run train.py --version",
    ],
)
def test_what_runs_no_code(command: str) -> None:
    assert entered(command, TREE) == []


def test_a_console_script_that_prints_its_help_runs_nothing() -> None:
    scripts = '[project]\nname = "model"\n[project.scripts]\nfit = "model.train:main"\n'
    tree = {**TREE, "pyproject.toml": scripts}
    assert "src/model/train.py" in entered("fit -h 3 --lr 1", tree)
    assert "src/model/train.py" in entered("fit -- --help", tree)
    assert entered("fit --help", tree) == []


def test_main_blocks_and_factories() -> None:
    (run,) = runs("python train.py", TREE)
    assert run.entries == (("train.py", ""), ("train.py", "__main__"))
    (served,) = runs("uvicorn app.main:create --factory", TREE)
    assert served.entries == (("app/main.py", ""), ("app/main.py", "create"))


def test_working_folder() -> None:
    assert entered("python train.py", TREE, folder="src/model") == ["src/model/train.py"]
    assert entered("python train.py", TREE, folder="./src/../src/model/") == ["src/model/train.py"]
    assert entered("python train.py", TREE, folder="${{ matrix.x }}") == ["train.py"]
    assert entered("python train.py", {"only/train.py": "x = 1"}) == ["only/train.py"]


def test_a_script_finds_its_own_folder() -> None:
    tree = {
        "tools/go.sh": 'cd "$(dirname "$0")"\n./next.sh\n',
        "tools/next.sh": (
            'DIR="$( cd "$(dirname "${BASH_SOURCE[0]}")" && pwd )"\npython "$(dirname "$0")/../x/run.py"\n'
        ),
        "x/run.py": "",
        "next.sh": "python wrong.py\n",
    }
    assert entered("bash tools/go.sh", tree) == ["x/run.py"]


def test_lines_and_chain() -> None:
    resolver = resolver_of({ORIGIN: "", **TREE})
    *_, last = resolver.script("\nbash scripts/train.sh\n", ORIGIN, 10, a_start())
    assert (last.location.path, last.location.line) == ("scripts/train.sh", 3)
    assert [(e.location.path, e.location.line, e.hop) for e in last.chain] == [
        (ORIGIN, 1, Hop.TRIGGER),
        (ORIGIN, 11, Hop.USE),
    ]


def test_functions() -> None:
    tree = {
        "x.sh": "train() { python train.py; }\nother() { python a.py; }\ntrain\n",
        "lib.sh": "go() { python train.py; }\n",
        "y.sh": 'main() { python train.py; }\n"$@"\n',
        **TREE,
    }
    assert entered("bash x.sh", tree) == ["train.py"]
    assert entered("source lib.sh", tree) == ["train.py"]
    assert entered("bash y.sh main", tree) == ["train.py"]
    assert commands("bash x.sh", tree) == ["bash x.sh", "python train.py"]


# -- missing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("python gone.py", "gone.py"),
        ("python gone.py > log.txt", "gone.py"),
        ("cd src && python model/gone.py", "src/model/gone.py"),
        ("bash scripts/gone.sh", "scripts/gone.sh"),
        ("./scripts/gone.sh --x", "scripts/gone.sh"),
        ("bash -o pipefail gone.sh", "gone.sh"),
        ("torchrun gone.py", "gone.py"),
        ("papermill gone.ipynb out.ipynb", "gone.ipynb"),
        ("./gone.py", "gone.py"),
        ("source scripts/gone.sh", "scripts/gone.sh"),
    ],
)
def test_missing_scripts(command: str, missing: str) -> None:
    assert [run.missing for run in runs(command, TREE) if run.missing] == [missing]


@pytest.mark.parametrize(
    "command",
    [
        "python $SCRIPT.py",
        "python ${{ inputs.script }}.py",
        "python {{ script }}.py",
        "python /opt/gone.py",
        "bash ~/gone.sh",
        "bash /tmp/gone.sh",
        "source venv/bin/activate",
        ". .venv/bin/activate",
        "source activate x",
        ". .env",
        "bash -s arg",
        "bash",
        "./gradlew build",
        "./bin/tool",
        "build/gone.sh",
        "python ../gone.py",
        "python *.py",
        "python -m pip install x.py",
        "docker run image python gone.py",
        "python C:/x/gone.py",
    ],
)
def test_what_cannot_be_called_missing(command: str) -> None:
    assert [run.missing for run in runs(command, TREE) if run.missing] == []


@pytest.mark.parametrize(
    "made",
    [
        "curl -sL https://x.org/gone.sh -o gone.sh",
        "wget https://x.org/gone.sh",
        "cat > gone.sh <<EOF\nx\nEOF",
        "echo x > gone.sh",
        "cp template gone.sh",
        "tool --output gone.sh",
    ],
)
def test_what_an_earlier_line_makes_is_not_missing(made: str) -> None:
    resolver = resolver_of({ORIGIN: f"{made}\nbash gone.sh\n"})
    assert not any(run.missing for run in resolver.script("bash gone.sh", ORIGIN, 2, a_start()))


def test_what_a_checkout_brings_is_not_missing() -> None:
    resolver = resolver_of({ORIGIN: "- uses: actions/checkout@v4\n  with: {path: other}\n- run: bash other/go.sh\n"})
    assert not any(run.missing for run in resolver.script("bash other/go.sh", ORIGIN, 3, a_start()))


def test_modules_of_others_are_unresolved() -> None:
    assert "requests" in runs("python -m requests.x", TREE)[0].unresolved
    assert not runs("python -m model.train", TREE)[0].unresolved


# -- failures that stop nothing ---------------------------------------------------------------------------------------


def swallowed(
    command: str,
    name: str = "pytest",
    texts: dict[str, str] | None = None,
    errexit: bool = True,
    pipefail: bool = False,
) -> str:
    found = [run for run in runs(command, texts or {}, errexit=errexit, pipefail=pipefail) if run.words[0] == name]
    (run,) = found
    return run.swallowed


def test_inline_scripts() -> None:
    assert swallowed("pytest\nls") == ""
    assert "set -e" in swallowed("pytest\nls", errexit=False)
    assert swallowed("ls\npytest", errexit=False) == ""
    assert swallowed("set -e\npytest\nls", errexit=False) == ""
    assert swallowed("set +e\npytest\nls")
    assert swallowed("pytest || true")
    assert swallowed("pytest || echo failed")
    assert swallowed("pytest || exit 1") == ""
    assert swallowed("pytest | tee log")
    assert swallowed("pytest | tee log", pipefail=True) == ""
    assert swallowed("set -o pipefail\npytest | tee log") == ""
    assert swallowed("pytest &")
    assert swallowed("if pytest; then ls; fi")
    assert swallowed("pytest && ls", errexit=True) == ""


def test_script_files() -> None:
    tree = {
        "loose.sh": "pytest\nls\n",
        "strict.sh": "set -e\npytest\nls\n",
        "last.sh": "ls\npytest\n",
        "bang.sh": "#!/bin/bash -e\npytest\nls\n",
    }
    assert "the script has no `set -e`" in swallowed("bash loose.sh", texts=tree)
    assert swallowed("bash -e loose.sh", texts=tree) == ""
    assert swallowed("source loose.sh", texts=tree) == ""
    assert swallowed("source loose.sh", texts=tree, errexit=False)
    assert swallowed("bash strict.sh", texts=tree) == ""
    assert swallowed("./last.sh", texts=tree) == ""
    assert swallowed("./bang.sh", texts=tree) == ""
    assert swallowed("bash strict.sh || true", texts=tree) == "|| true"
    assert swallowed("bash strict.sh\nls", texts=tree, errexit=False)


def test_inner_shells() -> None:
    assert swallowed('bash -c "pytest; ls"')
    assert swallowed('bash -ec "pytest; ls"') == ""
    assert swallowed('bash -euo pipefail -c "pytest; ls"') == ""
    assert swallowed('bash -c "ls; pytest"') == ""


# -- tasks ------------------------------------------------------------------------------------------------------------


def test_make() -> None:
    tree = {
        "Makefile": (
            "PY := python\nall: prepare train\nprepare:\n\tpython a.py\ntrain: prepare\n"
            "\t@$(PY) train.py\ntest:\n\t-pytest\n\tpytest; ls\nsub:\n\t$(MAKE) -C deep go\n"
        ),
        "deep/Makefile": "go:\n\tpython run.py\n",
        "deep/run.py": "",
        **TREE,
    }
    assert entered("make train", tree) == ["a.py", "train.py"]
    assert entered("make", tree) == ["a.py", "train.py"]
    assert (
        entered("make -C deep go", tree)
        == entered("make -Cdeep", tree)
        == entered("make --directory=deep", tree)
        == ["deep/run.py"]
    )
    assert entered("cd deep && make", tree) == entered("make sub", tree) == ["deep/run.py"]
    assert entered("make -j 4 train X=1", tree) == entered("make -j train", tree) == ["a.py", "train.py"]
    assert entered("make -f deep/Makefile go", tree) == ["deep/run.py"]
    assert entered("make nothing", tree) == []
    first, second = [run.swallowed for run in runs("make test", tree) if run.words[0] == "pytest"]
    assert "`-`" in first and second


def test_make_cycles_and_includes() -> None:
    tree = {
        "Makefile": "include common.mk\na: b\n\tmake a\nb: a\n\tpython train.py\n",
        "common.mk": "c:\n\tpython a.py\ninclude Makefile\n",
        **TREE,
    }
    assert entered("make a", tree) == ["train.py"]
    assert entered("make c", tree) == ["a.py"]
    (run,) = [run for run in runs("make c", tree) if run.entries]
    assert (run.location.path, run.location.line) == ("common.mk", 2)


def test_circles_of_scripts() -> None:
    tree = {"a.sh": "source a.sh\nbash b.sh\n", "b.sh": "./a.sh\npython train.py\n", **TREE}
    assert entered("bash a.sh", tree) == ["train.py"]


PYPROJECT = """\
[tool.poe.tasks]
train = "python train.py"
both = ["prep", "train"]
prep = {cmd = "python a.py"}
called = {script = "model.train:main"}
alias = {ref = "train --x"}
[tool.pdm.scripts]
train = {cmd = ["python", "train.py"]}
all = {composite = ["train"]}
[tool.hatch.envs.default.scripts]
train = ["prep", "python train.py"]
prep = "python a.py"
[tool.taskipy.tasks]
train = "python train.py"
[tool.pixi.tasks]
train = {cmd = "python train.py", depends-on = ["prep"]}
prep = "python a.py"
[tool.rye.scripts]
train = {cmd = "python train.py"}
[project.scripts]
train-model = "model.train:main"
"""


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        ("poe train", ["train.py"]),
        ("poetry run poe both", ["a.py", "train.py"]),
        ("poe called", ["src/model/train.py"]),
        ("poe alias", ["train.py"]),
        ("pdm run train", ["train.py"]),
        ("pdm run all", ["train.py"]),
        ("hatch run train", ["a.py", "train.py"]),
        ("hatch run default:train", ["a.py", "train.py"]),
        ("task train", ["train.py"]),
        ("pixi run train", ["a.py", "train.py"]),
        ("rye run train", ["train.py"]),
        ("train-model --x", ["src/model/train.py"]),
        ("uv run train-model", ["src/model/train.py"]),
        ("poe nothing", []),
        ("pip train", []),
    ],
)
def test_tables(command: str, paths: list[str]) -> None:
    assert entered(command, {"pyproject.toml": PYPROJECT, **TREE}) == paths


@pytest.mark.parametrize(
    ("command", "tree", "paths"),
    [
        (
            "just train",
            {
                "justfile": (
                    "x := 'y'\ntrain mode='a': prep (other 'b')\n  @python train.py {{mode}}\nprep:\n    python a.py\n"
                )
            },
            ["a.py", "train.py"],
        ),
        ("just", {"justfile": "first:\n  python train.py\nother:\n  python a.py\n"}, ["train.py"]),
        ("just a", {"justfile": "a: b\n  python a.py\nb: a\n  python train.py\n"}, ["train.py", "a.py"]),
        (
            "just s",
            {"justfile": "s:\n  #!/usr/bin/env bash\n  cd src/model\n  python train.py\n"},
            ["src/model/train.py"],
        ),
        (
            "task train",
            {
                "Taskfile.yml": (
                    "tasks:\n  train:\n    deps: [prep]\n    cmds: [python train.py, {task: prep}]\n"
                    "  prep: python a.py\n"
                )
            },
            ["a.py", "train.py"],
        ),
        ("task", {"Taskfile.yml": "tasks: {default: {cmds: [{cmd: python train.py}], dir: .}}"}, ["train.py"]),
        ("task a", {"Taskfile.yml": "tasks: {a: {deps: [b]}, b: {deps: [a], cmd: python train.py}}"}, ["train.py"]),
        (
            "mise run train",
            {
                "mise.toml": (
                    "[tasks.train]\nrun = ['python train.py']\ndepends = ['prep']\n[tasks.prep]\nrun = 'python a.py'\n"
                )
            },
            ["a.py", "train.py"],
        ),
        ("python -m awslambdaric train.fit", {"train.py": "def fit(event, context):\n    pass\n"}, ["train.py"]),
        ("python -m awslambdaric train.gone", {"train.py": "def fit(event, context):\n    pass\n"}, []),
        ("mise run train", {".mise/tasks/train": "#!/bin/bash\npython train.py\n"}, ["train.py"]),
        (
            "npm run train",
            {"package.json": '{"scripts": {"train": "python train.py", "test": "python a.py"}}'},
            ["train.py"],
        ),
        ("npm test", {"package.json": '{"scripts": {"test": "python a.py"}}'}, ["a.py"]),
        ("npm ci", {"package.json": '{"scripts": {"ci": "python a.py"}}'}, []),
        ("yarn train", {"package.json": '{"scripts": {"train": "python train.py"}}'}, ["train.py"]),
        ("npm run train", {"pyproject.toml": "[tool.poe.tasks]\ntrain = 'python train.py'"}, []),
        ("pixi run train", {"pixi.toml": "[tasks]\ntrain = 'python train.py'\n"}, ["train.py"]),
        ("pipenv run train", {"Pipfile": "[scripts]\ntrain = 'python train.py'\n"}, ["train.py"]),
        ("tox -e py312", {"tox.ini": "[testenv]\ncommands = python train.py {posargs}\n"}, ["train.py"]),
        (
            "tox",
            {
                "tox.ini": (
                    "[tox]\nenvlist = a,b\n[testenv:a]\ncommands =\n    python train.py\n[testenv:b]\n"
                    "commands =\n    python a.py\n"
                )
            },
            ["train.py", "a.py"],
        ),
        (
            "tox -e b",
            {
                "tox.ini": (
                    "[testenv]\ncommands = python a.py\n[testenv:b]\ncommands = {[testenv]commands}\n"
                    "    python train.py\n"
                )
            },
            ["a.py", "train.py"],
        ),
        (
            "tox -e slow",
            {"tox.ini": "[testenv]\ncommands =\n    slow: python train.py\n    fast: python a.py\n"},
            ["train.py"],
        ),
        ("tox", {"tox.ini": "[testenv]\ncommands = python \\\n    train.py\n"}, ["train.py"]),
        ("tox", {"setup.cfg": "[tox:tox]\n[testenv]\ncommands = python train.py\n"}, ["train.py"]),
        (
            "tox",
            {"pyproject.toml": "[tool.tox]\nlegacy_tox_ini = '''\n[testenv]\ncommands = python train.py\n'''\n"},
            ["train.py"],
        ),
        ("tox run -e x", {"pyproject.toml": "[tool.tox.env.x]\ncommands = [['python', 'train.py']]\n"}, ["train.py"]),
        (
            "tox",
            {"tox.toml": ("[env_run_base]\ncommands = [['python', {replace = 'posargs', default = ['train.py']}]]\n")},
            ["train.py"],
        ),
        (
            "nox -s train",
            {
                "noxfile.py": (
                    "import nox\n@nox.session\ndef train(session):\n"
                    "    session.run('python', 'train.py')\n@nox.session\ndef other(session):\n"
                    "    session.run('python', 'a.py')\n"
                )
            },
            ["train.py"],
        ),
        (
            "nox",
            {"noxfile.py": ("import nox\n@nox.session\ndef train(session):\n    session.run('python', 'train.py')\n")},
            ["train.py"],
        ),
        (
            "nox -s train-3.12",
            {
                "noxfile.py": (
                    "import nox\n@nox.session(python=['3.12'])\ndef train(session):\n"
                    "    session.run('python', 'train.py')\n"
                )
            },
            ["train.py"],
        ),
        (
            "inv train-model",
            {"tasks.py": ("from invoke import task\n@task\ndef train_model(c):\n    c.run('python train.py --x')\n")},
            ["train.py"],
        ),
        (
            "python -m invoke fit",
            {"tasks.py": ("from invoke import task\n@task\ndef fit(c):\n    from train import run\n    run()\n")},
            ["tasks.py"],
        ),
    ],
)
def test_runners(command: str, tree: dict[str, str], paths: list[str]) -> None:
    assert entered(command, {**TREE, **tree}) == paths


# -- pipelines and containers -----------------------------------------------------------------------------------------


DVC = "stages:\n  prep: {cmd: python a.py}\n  train: {cmd: python train.py, deps: [train.py]}\n"


@pytest.mark.parametrize("command", ["dvc repro", "dvc exp run", "python -m dvc repro -f", "cd . && dvc repro train"])
def test_dvc(command: str) -> None:
    tree = {"dvc.yaml": DVC, "other/dvc.yaml": "stages: {x: {cmd: python other.py}}", "other/other.py": "", **TREE}
    assert entered(command, tree) == ["a.py", "train.py"]
    assert [run.pipelines for run in runs(command, tree) if run.pipelines] == [("dvc.yaml",)]


def test_only_the_nearby_dvc_yaml_runs() -> None:
    two = {
        "one/dvc.yaml": "stages: {x: {cmd: python one.py}}",
        "one/one.py": "",
        "two/dvc.yaml": "stages: {x: {cmd: python two.py}}",
        "two/two.py": "",
    }
    assert entered("dvc repro", two) == []
    assert (
        entered("cd two && dvc repro", two)
        == entered("dvc repro two/dvc.yaml", two)
        == entered("dvc repro two/dvc.yaml:x", two)
        == ["two/two.py"]
    )
    assert entered("dvc repro -P", two) == ["one/one.py", "two/two.py"]
    assert entered("dvc repro", {k: v for k, v in two.items() if k.startswith("one")}) == ["one/one.py"]
    assert entered("dvc repro -s train", {"dvc.yaml": DVC, **TREE}) == ["train.py"]


@pytest.mark.parametrize("command", ["dvc pull", "dvc repro --dry", "dvc status", "dvc push", "dvc exp show"])
def test_what_runs_no_stage(command: str) -> None:
    assert entered(command, {"dvc.yaml": DVC, **TREE}) == []


def test_mlflow() -> None:
    tree = {
        "MLproject": (
            "name: x\nentry_points:\n  main: {command: python train.py}\n  prep: {command: 'python a.py {x}'}\n"
        ),
        **TREE,
    }
    assert entered("mlflow run .", tree) == ["train.py"]
    assert entered("mlflow run . -e prep -P x=1", tree) == entered("mlflow run --entry-point prep .", tree) == ["a.py"]
    assert entered("mlflow run https://github.com/x/y", tree) == []
    assert entered("mlflow ui", tree) == []
    recipe = {"recipe.yaml": "recipe: regression/v1\nsteps: {train: {using: automl}, evaluate: {}}\n"}
    assert [run.pipelines for run in runs("mlflow recipes run --profile local", recipe)] == [("recipe.yaml",)]
    assert [run.pipelines for run in runs("mlflow recipes inspect", recipe)] == [()]


def test_submitted_by_file() -> None:
    azure = {"jobs/pipe.yml": "type: pipeline\njobs:\n  train: {command: python train.py, code: ..}\n", **TREE}
    assert (
        entered("az ml job create --file jobs/pipe.yml", azure)
        == entered("az ml job create --file=jobs/pipe.yml", azure)
        == ["train.py"]
    )
    command = {"jobs/job.yml": "command: >-\n  python train.py\ncode: ..\n", **TREE}
    assert entered("az ml job create -f jobs/job.yml", command) == ["train.py"]
    argo = {
        "wf.yaml": (
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n"
            "spec: {templates: [{name: t, container: {command: [python, train.py]}}]}\n"
        ),
        **TREE,
    }
    assert entered("argo submit wf.yaml", argo) == ["train.py"]
    assert entered("argo lint wf.yaml", argo) == []
    bundle = {
        "databricks.yml": "resources: {jobs: {retrain: {tasks: "
        "[{task_key: a, notebook_task: {notebook_path: ./train.py}}]}}}",
        **TREE,
    }
    assert entered("databricks bundle run retrain", bundle) == ["train.py"]
    ray = {"job.yaml": "entrypoint: python train.py\n", **TREE}
    assert entered("anyscale job submit -f job.yaml", ray) == ["train.py"]


RUN_CONFIG = "script: train.py\narguments: [--c, 1]\ntarget: cpu\nframework: Python\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (RUN_CONFIG, ["code/train.py"]),
        (RUN_CONFIG.replace("framework: Python\n", ""), []),
        (RUN_CONFIG.replace("train.py", "train"), []),
        (RUN_CONFIG.replace("train.py", "[train.py]"), []),
        (RUN_CONFIG.replace("script", "# script"), []),
    ],
)
def test_run_configurations(text: str, found: list[str]) -> None:
    """Those of the first version of Azure ML name a script beside them."""
    tree = {"code/run_config.yml": text, "code/train.py": "def main(): pass\n"}
    assert entered("az ml run submit-script -c code/run_config.yml", tree) == found


def test_docker_builds() -> None:
    tree = {
        "Dockerfile": (
            "FROM x\nRUN --mount=type=cache,target=/c \\\n    pip install . && \\\n"
            "    python train.py\nCMD python a.py\n"
        ),
        "docker/train.Dockerfile": "FROM x\nRUN python src/model/train.py\n",
        **TREE,
    }
    assert entered("docker build .", tree) == entered("docker build . -t name:1", tree) == ["train.py"]
    assert entered("docker buildx build --push -t x -f docker/train.Dockerfile .", tree) == ["src/model/train.py"]
    assert entered("docker build --file=docker/train.Dockerfile .", tree) == ["src/model/train.py"]
    assert entered("docker build docker", tree) == entered("docker pull x", tree) == []
    (run,) = [run for run in runs("docker build .", tree) if run.words[:1] == ("python",)]
    assert (run.location.path, run.location.line) == ("Dockerfile", 4)
    assert not any(run.missing for run in runs("docker build .", {"Dockerfile": "FROM x\nRUN python gone.py\n"}))


def test_compose() -> None:
    tree = {
        "docker-compose.yml": (
            "services:\n  web:\n    build: .\n  job:\n    image: x\n    command: [python, train.py]\n  db: {image: y}\n"
        ),
        "Dockerfile": 'FROM x\nRUN python src/model/train.py\nENTRYPOINT ["python"]\nCMD ["a.py"]\n',
        **TREE,
    }
    assert entered("docker compose up -d", tree) == ["a.py", "train.py"]
    assert entered("docker-compose up job", tree) == ["train.py"]
    assert entered("docker compose up --build web", tree) == ["src/model/train.py", "a.py"]
    assert entered("docker compose build", tree) == ["src/model/train.py"]
    assert entered("docker compose down", tree) == entered("docker compose -f other.yml up", tree) == []


def test_actions_show_their_name_and_inputs() -> None:
    resolver = resolver_of({})
    (run,) = resolver.step(ORIGIN, 3, "org/act@v1", {"path": "x", "long": "y" * 300}, a_start(), "may fail")
    assert (run.words, run.swallowed, run.location.line) == (("uses", "org/act", "path=x"), "may fail", 3)


# -- bounds -----------------------------------------------------------------------------------------------------------


def test_long_chains_are_cut() -> None:
    tree = {f"s{i}.sh": f"bash s{i + 1}.sh\n" for i in range(20)}
    found = runs("bash s0.sh", tree)
    assert len(found) < 12 and any("longer" in run.unresolved for run in found)


def test_wide_trees_are_cut() -> None:
    names = range(30)
    makefile = "".join(f"t{i}:\n" + "".join(f"\tmake t{j}\n" for j in names) for i in names)
    began = time.perf_counter()
    assert len(runs("make t0", {"Makefile": makefile})) <= 3_000
    assert time.perf_counter() - began < 20


def test_texts_beyond_the_parsers_bounds() -> None:
    assert runs("x | " * 6_000 + "y", {}) == []
    assert runs("make a", {"Makefile": "a:\n\t" + "x | " * 6_000 + "y\n"})[0].words == ("make", "a")


WORDS = st.sampled_from(
    ["python", "bash", "-c", "x.sh", "a.py", "make", "t", "cd", "d", "&&", "||", ";", "\n", "|", "(", ")", "$(",
     "'", '"', "source", "-m", "pytest", "docker", "build", "compose", "up", "run", "-f", "mlflow", "dvc",
     "repro", "tox", "nox", "just", "pixi", "-e", "$X", "uvicorn", "a:b", "X=1", "torchrun", "az", "ml", "npm",
     "accelerate", "--", "sbatch", "srun", "-", "unittest", "discover", "coverage"]
)  # fmt: skip
HOSTILE = {
    "x.sh": "source x.sh\nmake t\n$(bash x.sh)\n",
    "a.py": "",
    "Makefile": "t: t\n\tbash x.sh\n\tmake t\n",
    "justfile": "t: t\n  just t\n",
    "Dockerfile": "FROM x\nRUN docker build .\n",
    "compose.yml": "services: {t: {build: ., command: docker compose up}}",
    "pyproject.toml": "[tool.pixi.tasks]\nt = {cmd='pixi run t', depends-on=['t']}\n",
    "package.json": '{"scripts": {"t": "npm run t"}}',
    "dvc.yaml": "stages: {t: {cmd: dvc repro}}",
    "MLproject": "entry_points: {main: {command: mlflow run .}}",
    "tox.ini": "[testenv]\ncommands = tox\n  {[testenv]commands}\n",
}


@settings(max_examples=120, deadline=None)
@given(st.lists(WORDS | st.text(max_size=4), max_size=14))
def test_no_command_raises(words: list[str]) -> None:
    began = time.perf_counter()
    for run in runs(" ".join(words), HOSTILE):
        assert run.location.line >= 1 and run.chain
    assert time.perf_counter() - began < 15


# -- notebooks -------------------------------------------------------------------------------------------------------

_NOTEBOOK = (
    '{"cells": [{"cell_type": "code", "source": ["x = 1\\n", "!python train.py \\\\\\n", "    --epochs 3"]},\n'
    '{"cell_type": "markdown", "source": ["!python a.py"]}],\n"nbformat": 4, "nbformat_minor": 5, "metadata": {}}\n'
)


@pytest.mark.parametrize("command", ["papermill nb.ipynb out.ipynb", "jupyter nbconvert --execute --to html nb.ipynb"])
def test_the_shell_lines_of_an_executed_notebook_are_followed(command: str) -> None:
    found = runs(command, {"nb.ipynb": _NOTEBOOK, "train.py": "x = 1\n", "a.py": "x = 1\n"})
    assert [(run.words, run.location.path) for run in found[1:]] == [
        (("python", "train.py", "--epochs", "3"), "nb.ipynb")
    ]
    assert "goes on" in found[1].swallowed


def test_a_converted_notebook_runs_nothing() -> None:
    assert len(runs("jupyter nbconvert --to html nb.ipynb", {"nb.ipynb": _NOTEBOOK, "train.py": "x = 1\n"})) == 1


def test_a_notebook_that_runs_itself_ends() -> None:
    text = _NOTEBOOK.replace("python train.py", "papermill nb.ipynb o.ipynb")
    assert len(runs("papermill nb.ipynb out.ipynb", {"nb.ipynb": text})) <= 3


BUILD = "steps:\n  - {name: python, dir: app, entrypoint: bash, args: [-c, python train.py]}\n"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("gcloud builds submit", ["app/train.py"]),
        ("gcloud builds submit --config=cloudbuild.yaml .", ["app/train.py"]),
        ("gcloud builds submit --config cloudbuild.yaml .", ["app/train.py"]),
        ("gcloud builds submit --tag gcr.io/p/x", []),
        ("gcloud builds submit --config other.yaml", []),
        ("gcloud builds list", []),
    ],
)
def test_a_build_that_is_submitted(command: str, expected: list[str]) -> None:
    assert entered(command, {"cloudbuild.yaml": BUILD, "app/train.py": "x = 1\n"}) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("cdk deploy", ["stack.py"]),
        ("npx cdk deploy --all", ["stack.py"]),
        ("npx aws-cdk@2 deploy", ["stack.py"]),
        ("cdk deploy --app 'python other.py'", ["other.py"]),
        ("cdk synth", []),
        ("cdk ls", []),
        ("npx eslint deploy", []),
    ],
)
def test_the_program_of_a_cdk_app(command: str, expected: list[str]) -> None:
    files = {"cdk.json": '{"app": "python3 stack.py"}', "stack.py": "x = 1\n", "other.py": "y = 1\n"}
    assert entered(command, files) == expected


@pytest.mark.parametrize(
    "script",
    [
        'export COMMAND="python train.py $OPTIONS"\necho $COMMAND\neval $COMMAND',
        'COMMAND="python train.py"\neval "${COMMAND}"',
        'COMMAND="python"\nif $FAST; then COMMAND="$COMMAND -O"; fi\nCOMMAND="${COMMAND} train.py"\neval $COMMAND',
        'RUN="python -u"\n$RUN train.py --fast',
        'RUN="python -u train.py"\nif $RUN; then echo done; fi',
        'FLAGS="-u"\nRUN="python $FLAGS train.py"\n$RUN',
        'RUN="cd src && cd .. && python train.py"\neval $RUN',
    ],
)
def test_commands_that_a_script_puts_together(script: str) -> None:
    assert entered(script, TREE) == ["train.py"], runs(script, TREE)


@pytest.mark.parametrize(
    "script",
    [
        'COMMAND="python train.py"\necho $COMMAND',
        'COMMAND="python train.py"\n# eval $COMMAND',
        'COMMAND="$PROGRAM train.py"\neval $COMMAND',
        'COMMAND="$(which python) train.py"\neval $COMMAND',
        'COMMAND="python train.py"\nCOMMAND="echo $COMMAND"\neval $COMMAND',
        'COMMAND="python train.py"\nCOMMAND="true"\neval $COMMAND',
        'COMMAND="python train.py"\neval $OTHER',
        'COMMAND="echo python train.py"\neval $COMMAND',
        'COMMAND="python train.py"\ntest -n "$COMMAND"',
    ],
)
def test_commands_of_which_a_script_does_not_tell_the_program(script: str) -> None:
    assert entered(script, TREE) == []


def test_variables_of_the_environment_are_filled_in_unless_the_script_sets_them() -> None:
    resolver = resolver_of({ORIGIN: "x: y\n", "a.py": "x = 1\n", "b.py": "x = 1\n"})
    for text, expected in (("python $F", "a.py"), ("F=b.py\npython $F", "b.py")):
        found = list(resolver.script(text, ORIGIN, 1, a_start(), env={"F": "a.py"}))
        assert {path for run in found for path, _ in run.entries} == {expected}
    unclear = list(resolver.script("F=$(pick)\npython $F", ORIGIN, 1, a_start(), env={"F": "a.py"}))
    assert [run.entries for run in unclear if run.words[0] == "python"] == [()]


SCORING = {
    "infra/cdk.json": '{"app": "npx ts-node --prefer-ts-exts bin/app.ts"}',
    "infra/bin/app.ts": "import {\n  A,\n} from '../lib/a';\n// import x from '../lib/off';\n",
    "infra/lib/a.ts": "export * from './parts';\nimport b = require('./b');\nimport * as t from './a.test';\n",
    "infra/lib/parts/index.ts": "const x = 1;\n",
    "infra/lib/b.ts": "import { A } from './a';\n",
    "infra/lib/a.test.ts": "import { A } from './a';\n",
    "infra/lib/off.ts": "const x = 1;\n",
    "infra/package.json": '{"scripts": {"cdk": "cdk", "ship": "npm test && cdk deploy", "watch": "tsc -w"}}',
}
APP_FILES = ["infra/bin/app.ts", "infra/lib/a.ts", "infra/lib/b.ts", "infra/lib/parts/index.ts"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("cdk deploy", APP_FILES),
        ("npx cdk deploy --app cdk.out/", APP_FILES),
        ("yarn cdk deploy --all", APP_FILES),
        ("npm run cdk -- deploy", APP_FILES),
        ("pnpm run ship", APP_FILES),
        ("npm run cdk deploy", []),
        ("yarn cdk synth", []),
        ("yarn watch deploy", []),
        ("cdk deploy --app 'npx ts-node lib/b.ts'", ["infra/lib/a.ts", "infra/lib/b.ts", "infra/lib/parts/index.ts"]),
        ("cdk deploy --app 'java App'", []),
    ],
)
def test_the_files_of_a_cdk_app_in_typescript(command: str, expected: list[str]) -> None:
    assert sorted(entered(f"cd infra\n{command}", SCORING)) == expected


DRIVER = {
    "pipelines/__init__.py": "",
    "pipelines/run.py": "def main():\n    __import__(name, fromlist=['get_pipeline']).get_pipeline()\n\n\nmain()\n",
    "pipelines/churn.py": "def get_pipeline():\n    return 1\n",
    "pipelines/other.py": "def make():\n    return 1\n",
    "setup.py": "setup(entry_points={'console_scripts': ['run-pipeline=pipelines.run:main']})\n",
}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "python pipelines/run.py --module-name pipelines.churn --role-arn $ROLE",
            ["pipelines/churn.py", "pipelines/run.py"],
        ),
        ("python -m pipelines.run -n pipelines.churn", ["pipelines/churn.py", "pipelines/run.py"]),
        ("python pipelines/run.py --module-name pipelines.other", ["pipelines/run.py"]),
        ("python pipelines/run.py --module-name pipelines.gone", ["pipelines/run.py"]),
        ("python pipelines/run.py --role pipelines.churn", ["pipelines/run.py"]),
        ("python pipelines/gone.py --module-name pipelines.churn", []),
    ],
)
def test_a_program_that_is_given_the_module_with_the_pipeline(command: str, expected: list[str]) -> None:
    assert sorted(set(entered(command, DRIVER))) == expected


LOADER = {
    "src/train.py": (
        "import importlib.util\nimport sys\n\n\ndef load(path):\n"
        "    spec = importlib.util.spec_from_file_location('m', path)\n"
        "    module = importlib.util.module_from_spec(spec)\n"
        "    spec.loader.exec_module(module)\n    return module\n\n\n"
        "model = load(sys.argv[2])\nmodel.fit(sys.argv[1])\n"
    ),
    "src/model.py": "def fit(rows):\n    return rows\n\n\ndef evaluate(rows):\n    return rows\n",
    "src/other.py": "def make():\n    return 1\n",
    "src/plain.py": "import sys\n\nmodel = make(sys.argv[2])\nmodel.fit(sys.argv[1])\n",
}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python src/train.py data.csv ./src/model.py 200", {("src/model.py", ""), ("src/model.py", "fit")}),
        ("python src/train.py data.csv src/other.py", set()),
        ("python src/train.py data.csv src/gone.py", set()),
        ("python src/train.py data.csv $MODEL", set()),
        ("python src/plain.py data.csv src/model.py", set()),
        ("python src/other.py src/model.py", set()),
    ],
)
def test_a_script_that_loads_the_file_it_is_given(command: str, expected: set[tuple[str, str]]) -> None:
    (run,) = runs(command, LOADER)
    assert {node for node in run.entries if node[0] in ("src/model.py", "src/gone.py")} == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("docker run -e KEY=x image:latest pytest -q test_api.py", ["api/tests/test_api.py"]),
        ("docker run image pytest /app/tests/test_api.py", ["api/tests/test_api.py"]),
        ("pytest -q test_api.py", []),
        ("docker run image pytest test_twice.py", []),
        ("docker run image pytest test_gone.py", []),
    ],
)
def test_tests_by_name_in_an_image(command: str, expected: list[str]) -> None:
    test = "def test_a():\n    assert 1\n"
    names = ("api/tests/test_api.py", "a/test_twice.py", "b/test_twice.py")
    assert [path for run in runs(command, dict.fromkeys(names, test)) for path in run.tests] == expected
