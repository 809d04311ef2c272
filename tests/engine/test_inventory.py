"""What goes into a bill of materials, and what looks like it and does not."""

from __future__ import annotations

from pathlib import Path

from mlops_scan.engine.report import Asset
from mlops_scan.engine.scan import ScanOptions, scan
from tests.trees import ML, Tree, write_tree

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 1234567\n"

LFS = {".gitattributes": "*.safetensors filter=lfs diff=lfs merge=lfs -text\n"}


def inventory(folder: Path, tree: Tree) -> dict[tuple[str, str, str], Asset]:
    report = scan(write_tree(folder, tree), ScanOptions(cache=False))
    return {(asset.kind, asset.name, asset.version): asset for asset in report.inventory}


def places(asset: Asset) -> list[str]:
    return [str(item.location) for item in asset.evidence]


# -- frameworks --------------------------------------------------------------------------------------------------------


def test_a_pinned_library_that_code_imports(tmp_path: Path) -> None:
    found = inventory(tmp_path, {**ML, "requirements.txt": "scikit-learn==1.5.0\n"})
    asset = found["framework", "scikit-learn", "1.5.0"]
    assert places(asset) == ["requirements.txt:1", "train.py:4"]


def test_a_library_that_is_only_declared_is_none(tmp_path: Path) -> None:
    found = inventory(tmp_path, {**ML, "requirements.txt": "scikit-learn==1.5.0\ntorch==2.4.0\n"})
    assert not [name for kind, name, _ in found if name == "torch"]


def test_a_library_that_only_tests_import_is_none(tmp_path: Path) -> None:
    tree = {**ML, "requirements.txt": "torch==2.4.0\n", "tests/test_a.py": "import torch\ntorch.load('a')\n"}
    assert not [name for kind, name, _ in inventory(tmp_path, tree) if name == "torch"]


def test_a_range_states_no_version_and_the_lock_does(tmp_path: Path) -> None:
    ranged: Tree = {**ML, "requirements.txt": "scikit-learn>=1.4\n"}
    assert ("framework", "scikit-learn", "") in inventory(tmp_path / "a", ranged)
    package = '[[package]]\nname = "{}"\nversion = "{}"\n\n'
    lock = "version = 1\n\n" + package.format("scikit-learn", "1.5.1") + package.format("x", "9")
    found = inventory(tmp_path / "b", {**ranged, "uv.lock": lock})
    assert places(found["framework", "scikit-learn", "1.5.1"]) == ["uv.lock:5", "train.py:4"]
    assert ("framework", "scikit-learn", "") not in found


def test_two_pins_are_two_versions(tmp_path: Path) -> None:
    tree = {**ML, "requirements.txt": "scikit-learn==1.5.0\n", "serve/requirements.txt": "scikit-learn==1.4.0\n"}
    found = inventory(tmp_path, tree)
    assert [version for _, name, version in found if name == "scikit-learn"] == ["1.4.0", "1.5.0"]


def test_pins_in_every_manifest(tmp_path: Path) -> None:
    manifests = {
        "pyproject.toml": '[project]\nname = "a"\ndependencies = ["scikit-learn==1.5.0; python_version > \'3\'"]\n',
        "Pipfile": '[packages]\nscikit-learn = "==1.5.0"\n',
        "environment.yml": "dependencies:\n  - scikit-learn=1.5.0=py311\n",
    }
    for number, (name, text) in enumerate(manifests.items()):
        assert ("framework", "scikit-learn", "1.5.0") in inventory(tmp_path / str(number), {**ML, name: text}), name


# -- files -------------------------------------------------------------------------------------------------------------


def test_model_and_data_files(tmp_path: Path) -> None:
    tree: Tree = {**ML, "models/m.onnx": b"\x08\x01", "data/a.csv": "x\n1\n", "tests/fixtures/b.csv": "x\n"}
    found = inventory(tmp_path, tree)
    assert found["model", "models/m.onnx", ""].origin == "file"
    assert ("dataset", "data/a.csv", "") in found
    assert ("dataset", "tests/fixtures/b.csv", "") not in found


def test_a_lfs_pointer_has_the_digest_of_its_content(tmp_path: Path) -> None:
    found = inventory(tmp_path, {**ML, **LFS, "m.safetensors": POINTER.format(oid="ab" * 32)})
    asset = found["model", "m.safetensors", ""]
    assert (asset.origin, asset.tool, asset.digest) == ("pointer", "git-lfs", ("sha256", "ab" * 32))


def test_many_files_of_a_folder_are_one_data_set(tmp_path: Path) -> None:
    found = inventory(tmp_path, {**ML, **{f"data/images/{n}.npy": b"x" for n in range(7)}})
    assert found["dataset", "data/images", ""].files == 7
    assert not [name for kind, name, _ in found if name.endswith(".npy")]


def test_dvc_pointers(tmp_path: Path) -> None:
    tree: Tree = {
        **ML,
        "data/raw.csv.dvc": f"outs:\n- md5: {'a' * 32}\n  size: 3\n  path: raw.csv\n",
        "dvc.yaml": "stages:\n  train:\n    cmd: python train.py\n    outs: [model.pkl]\n",
        "dvc.lock": "schema: '2.0'\nstages:\n  train:\n    outs:\n    - path: model.pkl\n      md5: " + "b" * 32 + "\n",
    }
    found = inventory(tmp_path, tree)
    assert found["dataset", "data/raw.csv", ""].digest == ("md5", "a" * 32)
    assert found["model", "model.pkl", ""].digest == ("md5", "b" * 32)
    assert places(found["pipeline", "dvc.yaml", ""]) == ["dvc.yaml:1", "dvc.yaml:2"]


# -- names -------------------------------------------------------------------------------------------------------------


def test_models_by_name(tmp_path: Path) -> None:
    code = (
        "import mlflow\nfrom openai import OpenAI\nfrom transformers import AutoModel\n"
        "AutoModel.from_pretrained('org/base', revision='abc')\n"
        "OpenAI().chat.completions.create(model='gpt-4o', messages=[])\n"
        "mlflow.register_model(uri, 'churn')\n"
    )
    found = inventory(tmp_path, {"app.py": code})
    assert places(found["model", "org/base", "abc"]) == ["app.py:4"]
    assert found["model", "gpt-4o", ""].origin == "hosted"
    assert found["model", "churn", ""].origin == "registered"


def test_a_folder_of_ones_own_is_no_model_of_a_hub(tmp_path: Path) -> None:
    code = (
        "from transformers import AutoModel\n"
        "AutoModel.from_pretrained('./out')\nAutoModel.from_pretrained('/opt/model')\n"
        "AutoModel.from_pretrained('weights/base')\n"
        "model = AutoModel.from_pretrained('outputs/best')\nmodel.save_pretrained('outputs/best')\n"
    )
    found = inventory(tmp_path, {"app.py": code, "weights/base/config.json": "{}"})
    assert not [name for kind, name, _ in found if kind == "model"]


def test_names_in_tests_and_documentation_do_not_count(tmp_path: Path) -> None:
    code = "from transformers import AutoModel\nAutoModel.from_pretrained('org/base')\n"
    found = inventory(tmp_path, {**ML, "tests/test_a.py": code, "docs/conf.py": code, "README.md": code})
    assert not [name for kind, name, _ in found if name == "org/base"]


def test_a_gateway_configuration_names_models(tmp_path: Path) -> None:
    text = "model_list:\n- model_name: a\n  litellm_params:\n    model: openai/gpt-4o\n"
    found = inventory(tmp_path, {**ML, "litellm.yaml": text})
    assert places(found["model", "openai/gpt-4o", ""]) == ["litellm.yaml:4"]


def test_services(tmp_path: Path) -> None:
    code = (
        "import joblib\nfrom fastapi import FastAPI\n\napp = FastAPI()\nmodel = joblib.load('m.joblib')\n\n"
        "@app.post('/predict')\ndef predict(row: dict):\n    return model.predict([row])\n"
    )
    found = inventory(tmp_path, {**ML, "serve.py": code})
    assert found["service", "serve.py", ""].tool == "fastapi"
    assert "serve.py" not in {name for kind, name, _ in inventory(tmp_path / "b", ML) if kind == "service"}


def test_the_same_tree_gives_the_same_inventory(tmp_path: Path) -> None:
    tree: Tree = {**ML, "requirements.txt": "scikit-learn==1.5.0\n", "data/a.csv": "x\n"}
    first = list(inventory(tmp_path / "a", tree).values())
    assert first == list(inventory(tmp_path / "b", dict(reversed(list(tree.items())))).values())
