"""What a file is, told from its path alone: the catalogue behind `File.role`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePosixPath

from mlops_scan.regex import regex
from mlops_scan.words import Role

_VENDORED = frozenset(
    {
        "vendor",
        "vendored",
        "third_party",
        "third-party",
        "thirdparty",
        "node_modules",
        "site-packages",
        "bower_components",
        "_vendor",
    }
)
_GENERATED = frozenset(
    {
        "dist",
        "_site",
        "mlruns",
        "wandb",
        "lightning_logs",
        "__pycache__",
        ".ipynb_checkpoints",
        "htmlcov",
        "mlartifacts",
        ".eggs",
    }
)
_TEST = frozenset(
    {
        "tests",
        "test",
        "testing",
        "testdata",
        "fixtures",
        "test_data",
        "__tests__",
        "unit_tests",
        "integration_tests",
        "e2e",
    }
)
_EXAMPLE = frozenset(
    {"examples", "example", "samples", "sample", "demo", "demos", "tutorial", "tutorials", "exercise_files",
     "exercises", "homework", "cohorts", "deprecated", "legacy", "archive", "archived", "old", "backup",
     "playground", "sandbox"}
)  # fmt: skip
_DOCS = frozenset(
    {"docs", "doc", "documentation", "site-docs", ".cursor", ".claude", ".gemini", ".codex", "skills", "adr"}
)
_DOC_SUFFIXES = frozenset(
    {".md", ".rst", ".mdx", ".adoc", ".html", ".htm", ".pdf", ".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp"}
)
_TEMPLATE_SUFFIXES = (".tmpl", ".tpl", ".jinja", ".jinja2", ".j2", ".template")

MODEL_SUFFIXES = frozenset(
    {".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle", ".pt", ".pth", ".ckpt", ".safetensors", ".h5",
     ".hdf5", ".keras", ".onnx", ".tflite", ".mlmodel", ".mar", ".gguf", ".ggml", ".nemo", ".pdparams", ".skops",
     ".cbm", ".ubj", ".bst", ".pb"}
)  # fmt: skip
DATA_SUFFIXES = frozenset(
    {".csv", ".tsv", ".parquet", ".feather", ".arrow", ".jsonl", ".ndjson", ".xlsx", ".xls", ".sqlite",
     ".sqlite3", ".db", ".avro", ".orc", ".tfrecord", ".npz", ".npy", ".h5ad", ".wav", ".mp3", ".zip", ".gz"}
)  # fmt: skip


def role_of(path: str) -> Role:
    """The role of the file at `path` (relative, forward slashes)."""
    stripped, templated = strip_template(path)
    outer = _plain_role(path.partition("{{")[0] + "x") if "{{" in path else Role.SOURCE
    if outer in (Role.TEST, Role.VENDORED, Role.GENERATED):
        return outer  # a template among the tests is test data
    role = _plain_role(stripped)
    return Role.TEMPLATE if templated and role in (Role.SOURCE, Role.NOTEBOOK) else role


@lru_cache(maxsize=1 << 16)
def strip_template(path: str) -> tuple[str, bool]:
    """The path as it will be once the template is rendered, and whether it is a template's file at all.

    The part up to the first folder whose name holds a placeholder (`{{ cookiecutter.name }}`) is the template's own and
    is dropped, that folder becomes the root; a template suffix (`.tmpl`, `.jinja`) goes too.
    """
    *folders, name = path.split("/")
    templated = _is_placeholder(name)
    for index, folder in enumerate(folders):
        if _is_placeholder(folder):
            path, templated = "/".join([*folders[index + 1 :], name]), True
            break
    for suffix in _TEMPLATE_SUFFIXES:
        if path.lower().endswith(suffix) and "/templates/" not in f"/{path}":
            return path[: -len(suffix)], True
    return path, templated


def _is_placeholder(text: str) -> bool:
    start = text.find("{{")
    return start >= 0 and "}}" in text[start:]


def _plain_role(path: str) -> Role:
    parts = path.lower().split("/")
    folders, name = parts[:-1], parts[-1]
    suffix = PurePosixPath(name).suffix
    if any(part in _VENDORED for part in folders) or folders.count("charts") > 1:
        return Role.VENDORED
    if any(part in _GENERATED for part in folders) or name.endswith(("_pb2.py", "_pb2_grpc.py", ".min.js")):
        return Role.GENERATED
    if any(part in _TEST for part in folders) or _is_test_name(name):
        return Role.TEST
    if any(part in _EXAMPLE for part in folders):
        return Role.EXAMPLE
    if suffix in _DOC_SUFFIXES or any(part in _DOCS for part in folders):
        return Role.DOCS
    if suffix == ".ipynb":
        return Role.NOTEBOOK
    if suffix in MODEL_SUFFIXES:
        return Role.MODEL
    if suffix in DATA_SUFFIXES:
        return Role.DATA
    return Role.SOURCE


_TEST_NAME = regex(r"(test_.*|.*_test|tests|conftest)\.py")


def _is_test_name(name: str) -> bool:
    return _TEST_NAME.fullmatch(name) is not None
