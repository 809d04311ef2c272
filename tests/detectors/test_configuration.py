"""Configuration that training reads, and files that only look like it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.detectors import configuration
from mlops_scan.documents.node import Node
from mlops_scan.words import Grade
from tests.trees import ML, TRAIN, Tree, grade, places, practice, scan_tree

NAME = "experiment/config"
PARAMS = "train:\n  learning_rate: 0.1\n  n_estimators: 200\n"


def reading(path: str) -> Tree:
    """The application with a training script that reads a file."""
    script = TRAIN.replace("import joblib\n", "import joblib\nimport yaml\n").replace(
        "    x, y = read(path)\n", f"    params = yaml.safe_load(open({path!r}))\n    x, y = read(path)\n"
    )
    return {**ML, "train.py": script}


@pytest.mark.parametrize(
    "path", ["params.yaml", "config/train.yaml", "conf/model_config.yml", "hparams.toml", "settings.json"]
)
def test_hyperparameters_that_code_reads(tmp_path: Path, path: str) -> None:
    text = {
        "toml": "[train]\nlearning_rate = 0.1\nn_estimators = 200\n",
        "json": '{"train": {"learning_rate": 0.1, "n_estimators": 200}}',
    }.get(path.rpartition(".")[2], PARAMS)
    result = practice(scan_tree(tmp_path, {**reading(path), path: text}), NAME)
    assert result.grade is Grade.IMPLEMENTED
    assert {place.partition(":")[0] for place in places(result.evidence)} == {path, "train.py"}


def test_hyperparameters_that_nobody_reads(tmp_path: Path) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "config/train.yaml": PARAMS}), NAME)
    assert result.grade is Grade.TRACE
    assert "no code mentions this file" in result.reason


def by_hand(text: str) -> str:
    """A script that trains by a file whose path a person gives."""
    code = f"    parser = argparse.ArgumentParser()\n{text}    params = json.load(open(parser.parse_args().config))\n"
    head = TRAIN.replace("import joblib\n", "import argparse\nimport json\n\nimport joblib\n")
    return head.replace("    x, y = read(path)\n", code + "    x, y = read(path)\n")


@pytest.mark.parametrize("path", ["configs/forest.yaml", "conf/net.yaml", "experiments/net.yaml"])
def test_a_file_whose_path_a_person_gives(tmp_path: Path, path: str) -> None:
    option = '    parser.add_argument("-c", "--config", required=True)\n'
    result = practice(scan_tree(tmp_path, {**ML, "train.py": by_hand(option), path: PARAMS}), NAME)
    assert result.grade is Grade.IMPLEMENTED
    assert {place.partition(":")[0] for place in places(result.evidence)} == {path, "train.py"}


@pytest.mark.parametrize(("library", "expected"), [("typer", Grade.IMPLEMENTED), ("sys", Grade.TRACE)])
def test_a_file_whose_path_is_a_parameter(tmp_path: Path, library: str, expected: Grade) -> None:
    text = (
        f"import json\n\nimport {library}\nfrom sklearn.linear_model import Ridge\n\n\ndef main(config):\n"
        f"    Ridge(**json.load(open(config))).fit([[1]], [1])\n\n\n"
        f"if __name__ == '__main__':\n    {library}.run(main)\n"
    )
    assert grade(scan_tree(tmp_path, {"train.py": text, "configs/ridge.yaml": PARAMS}), NAME) is expected


@pytest.mark.parametrize(
    ("path", "option"),
    [
        ("configs/forest.yaml", '    parser.add_argument("--rows")\n'),
        ("configs/forest.yaml", '    # parser.add_argument("--config")\n'),
        ("charts/forest.yaml", '    parser.add_argument("--config")\n'),
    ],
    ids=["another option", "comment", "another folder"],
)
def test_a_file_whose_path_nobody_gives(tmp_path: Path, path: str, option: str) -> None:
    files = {**ML, "train.py": by_hand(option), path: PARAMS}
    assert grade(scan_tree(tmp_path, files), NAME) is Grade.TRACE


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app.yaml", "server:\n  port: 80\n  workers: 4\n"),
        ("poetry.lock", '[[package]]\nname = "alpha"\nkernel = 1\n[package.dependencies]\neta = "1"\nmomentum = "2"\n'),
        ("metrics.json", '{"accuracy": 0.9, "epochs": 3, "learning_rate": 0.1}'),
        ("training_history.json", '{"loss": [0.9], "epochs": 3, "learning_rate": 0.1}'),
        (
            ".github/workflows/a.yml",
            "on: push\njobs: {a: {runs-on: x, steps: [{run: ls, with: {epochs: 3, batch_size: 4}}]}}\n",
        ),
    ],
    ids=["server", "lock", "results", "history", "workflow"],
)
def test_file_without_hyperparameters(tmp_path: Path, path: str, text: str) -> None:
    assert not practice(scan_tree(tmp_path, {**reading(path), path: text}), NAME).met


@pytest.mark.parametrize("folder", ["docs", "examples", "tests"])
def test_configuration_of_an_example(tmp_path: Path, folder: str) -> None:
    assert not practice(
        scan_tree(
            tmp_path, {**ML, f"{folder}/params.yaml": PARAMS, f"{folder}/train.py": reading("params.yaml")["train.py"]}
        ),
        NAME,
    ).met


def test_dvc_parameters_are_read_by_the_pipeline(tmp_path: Path) -> None:
    text = "stages:\n  prepare:\n    cmd: python data.py\n  train:\n    cmd: python train.py\n    params: [train]\n"
    assert grade(scan_tree(tmp_path, {**ML, "dvc.yaml": text, "params.yaml": PARAMS}), NAME) is Grade.IMPLEMENTED


def test_settings_module_that_training_imports(tmp_path: Path) -> None:
    script = TRAIN.replace("from data import read", "import config\nfrom data import read").replace(
        "C=1.0", "C=config.alpha"
    )
    module = "alpha = 0.5\nmax_iter = 100\ntest_size = 0.2\n"
    read = scan_tree(tmp_path / "read", {**ML, "train.py": script, "config.py": module})
    alone = scan_tree(tmp_path / "alone", {**ML, "config.py": module})
    assert grade(read, NAME) is Grade.IMPLEMENTED
    assert not practice(alone, NAME).met


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("data/*.csv filter=lfs diff=lfs merge=lfs -text", Grade.IMPLEMENTED),
        ("*.parquet filter=lfs diff=lfs merge=lfs -text", Grade.IMPLEMENTED),
        ("*.png filter=lfs diff=lfs merge=lfs -text", Grade.ABSENT),
        ("# *.csv filter=lfs diff=lfs merge=lfs -text", Grade.ABSENT),
        ("*.csv text eol=lf", Grade.ABSENT),
    ],
    ids=["data folder", "tables", "pictures", "comment", "line ends"],
)
def test_large_file_storage(tmp_path: Path, line: str, expected: Grade) -> None:
    tracked = {"data/rows.csv": "a\n1\n", "rows.parquet": "x", "chart.png": "x"}
    assert grade(scan_tree(tmp_path, {**ML, **tracked, ".gitattributes": line + "\n"}), "data/versioning") is expected


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        (".gitattributes", "*.zip filter=lfs diff=lfs merge=lfs -text", Grade.TRACE),
        ("data/.gitattributes", "*.csv filter=lfs diff=lfs merge=lfs -text", Grade.IMPLEMENTED),
        ("other/.gitattributes", "*.csv filter=lfs diff=lfs merge=lfs -text", Grade.TRACE),
    ],
    ids=["no such file", "of the folder", "of another folder"],
)
def test_large_file_storage_needs_a_file(tmp_path: Path, path: str, line: str, expected: Grade) -> None:
    tree = {**ML, "data/rows.csv": "a\n1\n", path: line + "\n"}
    result = practice(scan_tree(tmp_path, tree), "data/versioning")
    assert result.grade is expected
    assert ("no file of the repository matches" in result.reason) is (expected is Grade.TRACE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("parameters:\n  LEARNING_RATE:\n    values: [0.1, 0.2]\n  EPOCHS:\n    value: 3\n", Grade.IMPLEMENTED),
        ("parameters:\n  colour:\n    values: [red, blue]\n  side:\n    value: 3\n", Grade.ABSENT),
        (
            "search_space:\n  n_estimators: {type: uniform, min_value: 100, max_value: 900}\n"
            "  max_depth: {type: uniform, min_value: 1, max_value: 9}\n",
            Grade.IMPLEMENTED,
        ),
        ("parameters:\n  epochs: {min: 1, max: 9}\n  lr: {distribution: uniform, max: 0.1}\n", Grade.IMPLEMENTED),
        ("properties:\n  epochs: {type: integer, minimum: 1}\n  max_depth: {type: integer}\n", Grade.ABSENT),
        ("replicas: {min: 1, max: 9}\nqueue: {min_value: 2, max_value: 3}\n", Grade.ABSENT),
    ],
    ids=["hyperparameters", "other parameters", "bounds", "bounds of W&B", "a schema", "other bounds"],
)
def test_parameters_of_a_sweep(tmp_path: Path, text: str, expected: Grade) -> None:
    """What a sweep tries stands one key below the parameter's name."""
    tree = {**ML, "configs/search.yaml": text, "Makefile": "train:\n\tpython train.py --config=configs/search.yaml\n"}
    assert grade(scan_tree(tmp_path, tree), NAME) is expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Makefile", "train:\n\tpython train.py --config=configs/fit-best.yaml\n", Grade.IMPLEMENTED),
        ("run.sh", "python train.py --config configs/fit-best.yaml\n", Grade.IMPLEMENTED),
        ("Makefile", "train:\n\t# python train.py --config=configs/fit-best.yaml\n", Grade.TRACE),
        ("docs/run.sh", "python train.py --config configs/fit-best.yaml\n", Grade.TRACE),
        ("Makefile", "train:\n\tpython train.py --config=configs/other.yaml\n", Grade.TRACE),
    ],
    ids=["make", "script", "commented out", "docs", "another file"],
)
def test_configuration_named_in_a_task_file(tmp_path: Path, name: str, text: str, expected: Grade) -> None:
    tree = {**ML, "configs/fit-best.yaml": "parameters:\n  EPOCHS: {values: [7]}\n  BATCH_SIZE: 16\n", name: text}
    assert grade(scan_tree(tmp_path, tree), "experiment/config") is expected


def test_the_reader_that_trains_is_shown(tmp_path: Path) -> None:
    script = str(ML["train.py"]).replace("import argparse\n", "import argparse\nimport json\n", 1)
    script = script.replace(
        "    x, y = read(path)\n", "    x, y = read(path)\n    json.load(open('parameters.json'))\n", 1
    )
    tree = {
        **ML,
        "train.py": script,
        "a_register.py": (
            "import json\nimport joblib\n\njson.load(open('parameters.json'))\njoblib.load('model.joblib')\n"
        ),
        "parameters.json": '{"training": {"alpha": 0.4, "max_iter": 10}}\n',
    }
    shown = places(practice(scan_tree(tmp_path, tree), NAME).evidence)
    assert [place.partition(":")[0] for place in shown] == ["parameters.json", "train.py"]


@pytest.mark.parametrize(("keyword", "expected"), [("config_path", Grade.IMPLEMENTED), ("destination", Grade.TRACE)])
def test_configuration_that_an_engine_is_given(tmp_path: Path, keyword: str, expected: Grade) -> None:
    call = f"weekly.with_options({keyword}=f'configs/{{stage}}.yml')()"
    run = f"from flow import weekly\n\n\ndef main(stage):\n    {call}\n"
    flow = (
        "import pandas as pd\nfrom zenml import pipeline\nfrom train import train\n\n\n"
        "@pipeline\ndef weekly():\n    train('a', 'b')\n"
    )
    tree = {**ML, "run.py": run, "flow.py": flow, "configs/prod.yml": "parameters:\n  epochs: 5\n  batch_size: 8\n"}
    assert grade(scan_tree(tmp_path, tree), NAME) is expected


_KEYS = ("lr", "epochs", "model", "train", "image", "value", "values", "[0]", "params", "max_depth", "x")
_SCALARS = st.builds(lambda value: Node("scalar", 1, 1, value=value, text="t"), st.sampled_from([1, "a", None, True]))
_NODES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.builds(
            lambda entries: Node("mapping", 1, 1, entries=tuple(entries)),
            st.lists(st.tuples(st.sampled_from(_KEYS), inner), max_size=4),
        )
        | st.builds(lambda items: Node("sequence", 1, 1, items=tuple(items)), st.lists(inner, max_size=3))
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(_NODES, st.sampled_from([3, 7, 20, 5000]))
def test_hyperparameters_are_found_as_by_a_walk_over_all_nodes(document: Node, bound: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(configuration, "_MAX_NODES", bound)
        assert configuration._hyperparameter(document) == _by_walking(document, bound)


def _by_walking(document: Node, bound: int) -> tuple[str, int] | None:
    """What is looked for, by a look at each node in the order of the document."""
    hits: list[tuple[str, int]] = []
    stack = [("", False, False, document)]
    while stack and bound:
        bound -= 1
        key, telling, above, node = stack.pop()
        known = configuration.is_hyperparameter(key.replace("-", "_"))
        if node.kind != "mapping" and known and (node.number() is not None or node.items or node.string()):
            hits.append((key, node.at))
            if above or any(name != key for name, _ in hits):
                return hits[0]
        below = [(key, telling, telling, child) for child in node.items]
        for name, child in node.entries if not node.items else ():
            own = configuration._about(name)
            below.append((key if own.stands_for else name, telling or own.telling, telling, child))
        stack += reversed(below)
    return None


@pytest.mark.parametrize(
    ("name", "expected"),
    [("lr", True), ("N_Estimators", True), ("hidden_size", True), ("hidden_", False), ("warmup", True),
     ("warmup_steps", True), ("TRAIN_BATCH_SIZE", True), ("upload_batch_size", False), ("num_epochs", True),
     ("_epochs", False), ("gradient_clip.x", False), ("learning", False), ("", False)],
)  # fmt: skip
def test_names_of_hyperparameters(name: str, expected: bool) -> None:
    assert configuration.is_hyperparameter(name) is expected


def loading(path: str, name: str = "json.load") -> str:
    """A script that reads a file whose path is an expression."""
    body = f"def read(name):\n    with open({path}) as file:\n        return {name}(file)\n"
    return f"import json\nimport os\n\nimport yaml\n\n\n{body}"


JSON = '{"n_estimators": 70, "max_depth": 6}'


@pytest.mark.parametrize(
    ("path", "code", "expected"),
    [
        ("plans/default.json", loading("'plans/{}.json'.format(name)"), Grade.IMPLEMENTED),
        ("plans/default.json", loading("f'plans/{name}.json'"), Grade.IMPLEMENTED),
        ("plans/default.json", loading("'plans/%s.json' % name"), Grade.IMPLEMENTED),
        ("churn/plans/forest/default.json", loading("'plans/{}/{}.json'.format(name, name)"), Grade.IMPLEMENTED),
        ("plans/forest/default.json", loading("'plans/{}.json'.format(name)"), Grade.TRACE),  # a folder deeper
        ("plans/default.json", loading("'plans/{}.yaml'.format(name)"), Grade.TRACE),
        ("plans/default.json", loading("'plots/{}.json'.format(name)"), Grade.TRACE),
        ("plans/default.json", loading("'plans/{}.json'.format(name)", "print"), Grade.TRACE),  # only written, say
        ("plans/default.json", "# plans/{}.json\n", Grade.TRACE),
    ],
)
def test_a_file_named_by_its_folder_and_what_is_put_in(tmp_path: Path, path: str, code: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, path: JSON, "reader.py": code}), NAME) is expected


@pytest.mark.parametrize(
    ("path", "text", "code", "expected"),
    [
        (".env.template", "MODEL_PLAN=plans/default.json\n", loading("os.getenv('MODEL_PLAN')"), Grade.IMPLEMENTED),
        ("dev.env", "A=1\nMODEL_PLAN = default.json\n", loading("os.environ['MODEL_PLAN']"), Grade.IMPLEMENTED),
        ("dev.env", "# MODEL_PLAN=default.json\n", loading("os.environ['MODEL_PLAN']"), Grade.TRACE),
        ("dev.env", "MODEL_PLAN=default.json\n", loading("os.environ['OTHER']"), Grade.TRACE),
        ("dev.env", "MODEL_PLAN=other.json\n", loading("os.environ['MODEL_PLAN']"), Grade.TRACE),
        ("tests/dev.env", "MODEL_PLAN=default.json\n", loading("os.environ['MODEL_PLAN']"), Grade.TRACE),
        ("environment.txt", "MODEL_PLAN=default.json\n", loading("os.environ['MODEL_PLAN']"), Grade.TRACE),
    ],
)
def test_a_file_named_by_a_variable_of_an_environment_file(
    tmp_path: Path, path: str, text: str, code: str, expected: Grade
) -> None:
    tree = {**ML, "plans/default.json": JSON, path: text, "reader.py": code}
    assert grade(scan_tree(tmp_path, tree), NAME) is expected


@pytest.mark.parametrize(
    ("name", "module", "met"),
    [
        ("config", "EPOCHS = 3\nTRAIN_BATCH_SIZE = 64\n", True),
        ("config", "OPTIONS = {'epochs': 3, 'batch_size': 64}\n", True),
        ("config", "EVAL_BATCH_SIZE = 64\nTRAIN_BATCH_SIZE = 64\n", False),  # two of one
        ("config", "def get(options):\n    return options['epochs'], options['batch_size']\n", False),  # asked for
        ("train_params", "EPOCHS = 3\nBATCH_SIZE = 64\n", True),
        ("trainer", "EPOCHS = 3\nBATCH_SIZE = 64\n", False),
    ],
)
def test_what_a_settings_module_sets(tmp_path: Path, name: str, module: str, met: bool) -> None:
    script = TRAIN.replace("from data import read", f"import {name}\nfrom data import read").replace(
        "C=1.0", f"C={name}.get"
    )
    report = scan_tree(tmp_path, {**ML, "train.py": script, f"{name}.py": module + "get = 1\n"})
    assert practice(report, NAME).met is met


@pytest.mark.parametrize(
    ("text", "met"), [("depth: 3\nmodel: forest\n", True), ("entity: spam\nproject: churn\n", False)]
)
def test_parameters_with_names_of_their_own(tmp_path: Path, text: str, met: bool) -> None:
    assert practice(scan_tree(tmp_path, {**reading("params.yaml"), "params.yaml": text}), NAME).met is met


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("depth-of-trees: 4\n", Grade.IMPLEMENTED),
        ("train: {balanced: true}\n", Grade.IMPLEMENTED),
        ("WANDB-ENTITY: org\nWANDB-PROJECT: churn\n", Grade.ABSENT),
    ],
)
def test_parameters_by_the_name_of_their_file(tmp_path: Path, values: str, expected: Grade) -> None:
    """Where only a command names `params.yaml`, it has to set something that may steer a training."""
    step = "on: [push]\njobs:\n  a:\n    steps:\n      - run: argo submit w.yaml -f pipelines/params.yaml\n"
    tree = {**ML, ".github/workflows/ci.yml": step, "pipelines/params.yaml": values}
    assert grade(scan_tree(tmp_path, tree), NAME) is expected


RUN_CONFIG = "script: train.py\narguments: [--max-depth, 4]\ntarget: cpu\nframework: Python\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RUN_CONFIG, Grade.IMPLEMENTED),
        (RUN_CONFIG.replace("max-depth", "out-folder"), Grade.ABSENT),
        (RUN_CONFIG.replace("arguments", "# arguments"), Grade.ABSENT),
        (RUN_CONFIG.replace("framework: Python\n", ""), Grade.ABSENT),
    ],
)
def test_what_a_run_configuration_hands_over(tmp_path: Path, text: str, expected: Grade) -> None:
    step = "on: [push]\njobs:\n  a:\n    steps:\n      - uses: Azure/aml-run@v1\n        with: {azure_credentials: x}\n"
    tree = {**ML, ".github/workflows/ci.yml": step, "code/train/run_config.yml": text}
    assert grade(scan_tree(tmp_path, tree), NAME) is expected
