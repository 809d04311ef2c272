"""Training as a person does it: scripts and notebooks started by hand, hard-coded paths, artifacts and data in git."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.code.facts import MAIN, Call, Module
from mlops_scan.code.rnames import BARE, attached, named_scope
from mlops_scan.detectors import byhand
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.dependencies import MODEL_FILE
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Grade, Hop, Problem, Role, Signal

_PARAMETERS = frozenset(
    {"argparse", "click", "typer", "fire", "absl", "hydra", "omegaconf", "tyro", "simple_parsing", "pydantic",
     "pydantic_settings", "jsonargparse", "docopt", "configargparse"}
)  # fmt: skip
_SETTINGS = frozenset(
    {"yaml.safe_load", "yaml.load", "yaml.full_load", "toml.load", "tomllib.load", "tomli.load",
     "dvc.api.params_show", "configparser.ConfigParser.read", "omegaconf.OmegaConf.load"}
)  # fmt: skip
"""Calls that read a file of settings."""

_VARIABLES = frozenset({"os.getenv", "os.environ.get"})
_ACCESS = regex(
    r"(uri|url|key|token|secret|pass|user|host|port|cred|endpoint|region|bucket|home|level|debug|device|rank|world|sha$|"
    r"entity|project|github|wandb|mlflow|experiment)",
    re.I,
)
"""Variables that say where things are and who asks, not what is trained."""

_LOADER = regex(r"(config|cfg|param|setting|yaml)", re.I)
_R_PARAMETERS = frozenset({"optparse", "argparse", "argparser", "docopt", "getopt"})
_R_ARGUMENTS = f"{BARE}commandArgs"
_LOCAL_PATH = regex(
    r"(/home/\w[\w.-]*/|/Users/\w[\w.-]*/|[A-Za-z]:[\\/]+Users[\\/]|/content/drive/|/root/\w)",
    words=("/home/", "users", "/content/drive/", "/root/"),
)
_HOMES = ("/home/", "/Users/", "/content/drive/", "/root/")
_PLACES = {
    "/root/": "for one user `root`, of a machine or an image,",
    "/content/drive/": "in one person's Google Drive",
}
_SHOWN = 80  # characters of a path
_LARGE_DATA = 1_048_576  # bytes: what a sample or a lookup table stays below
# The home that every notebook of a service has: JupyterHub images, Vertex AI, SageMaker.
_SERVICE_HOMES = ("/home/jovyan/", "/home/jupyter/", "/home/ec2-user/SageMaker/", "/home/sagemaker-user/")
_ADDS = regex(
    r"""environ\[\s*\\?["']PATH\\?["']\s*\]|export PATH="""
)  # one more place to look; none breaks where it is not
_SET_ASIDE = regex(  # a path in a container, and one that is only compared with
    r"""\\?["'](mountPath|mount_path|containerPath|container_path|remote_path|working_?[dD]ir)\\?["'][ ]?:"""
    r"""|[=!]=[ ]?\\?["'](/home/|/Users/|/root/|[A-Za-z]:)"""
)
_IN_IMAGE = frozenset({"remote_path", "container_path", "mount_path", "workdir", "working_dir"})
_SPLITS = regex(r"[xy]([-_]?(train|test|val|valid|validation|dev))?|(train|test|valid|val)[-_](data|set|df)", re.I)
_ZIP = b"PK\3\4"
_TENSOR = regex(rb"/data\.pkl[^\x80]{0,200}\x80[\x02-\x05]ctorch\._utils\n_rebuild_tensor", words=(b"_rebuild_tensor",))
_LFS = b"version https://git-lfs.github.com/spec/"


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `code/modular-training` and the findings of hand-run training."""
    uses = [use for use in context.doing(*LEARNS) if use.location.path in context.index.modules]
    yield from _modular(context, uses)
    yield from byhand.problems(context, uses)
    yield from _local_paths(context, uses)
    yield from _committed(context)


def _modular(context: Context, uses: list[Use]) -> Iterator[Signal]:
    seen = set()
    for use in sorted(uses, key=lambda u: "train" not in u.location.path.rpartition("/")[2]):
        path = use.location.path
        module = context.index.modules[path]
        if path in seen:
            continue
        seen.add(path)
        evidence = (context.evidence(path, use.location.line, Hop.DEFINITION, use.location.end_line),)
        if module.notebook:
            yield Signal(
                "code/modular-training",
                use.tool,
                Grade.TRACE,
                evidence,
                use.confidence,
                "training code lives in a notebook",
                fixed=True,
            )
        elif named_scope(use.scope) in ("", MAIN) and not _has_parameters(context, module):
            reason = "training runs at module level without parameters"
            yield Signal("code/modular-training", use.tool, Grade.TRACE, evidence, use.confidence, reason, fixed=True)
        else:
            yield Signal(
                "code/modular-training", use.tool, Grade.IMPLEMENTED, evidence, use.confidence, scope=use.scope
            )


def _has_parameters(context: Context, module: Module) -> bool:
    if not _R_PARAMETERS.isdisjoint(attached(module)) or any(call.name == _R_ARGUMENTS for call in module.calls):
        return True
    if module.roots.intersection(_PARAMETERS) or any(
        "experiment/config" in use.serves for use in context.uses_in(module.path)
    ):
        return True
    if any(_asks_outside(context, module.path, call) for call in module.calls):
        return True
    return "sys" in module.roots and context.documents.holds(module.path, "sys.argv[")


def _asks_outside(context: Context, path: str, call: Call) -> bool:
    """Whether a call of a script reads a settings file or a variable of the environment, itself or by a helper."""
    if call.name in _VARIABLES:
        return not (call.args and call.args[0] and _ACCESS.search(call.args[0]))
    if call.name in _SETTINGS:
        return True
    if call.scope or _LOADER.search(call.name.rpartition(".")[2]) is None:
        return False
    target = context.index.resolve(path, call.name)
    return target.first_party and any(c.name in _SETTINGS for c in context.index.calls_in(target.path, target.qualname))


def _local_paths(context: Context, uses: list[Use]) -> Iterator[Problem]:
    """Absolute paths of one machine, in the main code of a repository that trains."""
    if not uses:
        return
    for path, module in context.modules():
        for line, text in module.strings:
            if (
                (text.startswith(_HOMES) or text[1:2] == ":")
                and _LOCAL_PATH.match(text)
                and not text.startswith(_SERVICE_HOMES)
                and not _in_image(module, text)
                and not _ADDS.search(context.line(path, line))
                and not _SET_ASIDE.search(context.line(path, line))
                and not _injected(context, path, line)
            ):
                where = next((place for home, place in _PLACES.items() if text.startswith(home)), "on one machine")
                shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
                message = f"`{shown}` exists {where} only; nobody else, and no job, can run this unchanged."
                yield Problem("MLS102", message, context.evidence(path, line).location)
                break


def _in_image(module: Module, path: str) -> bool:
    """Whether a module says of a path that it is one of an image."""
    return any(value == path and name in _IN_IMAGE for call in module.calls for name, value in call.keywords)


def _injected(context: Context, path: str, line: int) -> bool:
    """Whether a line is in a cell that papermill or ploomber writes anew on every run."""
    before = context.documents.text(path).split("\n", line)[max(0, line - 16) : line]
    return any("injected-parameters" in text for text in before)


def _names_run(context: Context, folder: str) -> bool:
    """Whether a folder holds what MLflow writes beside a model, with the id of the run that logged it."""
    path = f"{folder}/{MODEL_FILE}".lstrip("/")
    return path in context.documents.files and "run_id:" in context.documents.text(path)


def _committed(context: Context) -> Iterator[Problem]:
    for file in context.repository.files:
        if file.role is Role.MODEL and _SPLITS.fullmatch(file.name.rpartition(".")[0]):
            continue  # a pickled split of the data
        if file.role is Role.MODEL and file.size > 0 and not _is_no_model(context, file.path):
            size = f"{file.size / 1_048_576:.1f} MiB" if file.size > 100_000 else f"{file.size} bytes"
            origin = (
                f"of its run only the id is known, from `{MODEL_FILE}` beside it"
                if _names_run(context, file.folder)
                else "with no record of the run that made it"
            )
            message = f"`{file.name}` ({size}) is a binary model file among the sources, {origin}."
            yield Problem("MLS103", message, context.evidence(file.path, 1, text=" ").location)
        elif (
            file.role is Role.DATA
            and file.size > _LARGE_DATA
            and not file.lfs
            and file.suffix not in (".db", ".sqlite", ".zip", ".gz")
        ):
            size = f"{file.size / 1_048_576:.1f} MiB"
            yield Problem(
                "MLS104",
                f"`{file.name}` ({size}) is a data set in git; its later versions are mixed with changes of the code.",
                context.evidence(file.path, 1, text=" ").location,
            )


def _is_no_model(context: Context, path: str) -> bool:
    """Whether a file is a Git-LFS pointer, text such as a Python path file, or a single tensor that PyTorch saved.

    The pickle in PyTorch's archive comes first and uncompressed: https://docs.pytorch.org/docs/stable/notes/serialization.html
    """
    file = context.documents.files[path]
    head = context.documents.head(path)
    if not head or head.startswith(_LFS) or (file.suffix == ".pth" and b"\0" not in head):
        return True
    return head.startswith(_ZIP) and _TENSOR.search(head) is not None
