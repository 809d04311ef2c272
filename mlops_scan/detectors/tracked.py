"""Whether what data versioning or a tracker keeps is a model or data: it is not in the tree."""

from __future__ import annotations

from mlops_scan.detectors.base import Context
from mlops_scan.detectors.checkers import READS
from mlops_scan.detectors.kept import kept
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.repository.roles import RoleCatalogue
from mlops_scan.words import Role

_VERSION = regex(r"\bversion=(?:self\.)?([A-Za-z_]\w{0,80})\s*[,)\n]", words=("version=",))
_ASSIGNED = regex(r"(?:self\.)?(?P<name>[A-Za-z_]\w{0,80})(?:: *[\w.\[\] |]{1,60})? = ([^#]{1,80}?)\s*(?:#.*)?")
_PLACEHOLDER = regex(r"0|None|[\"'](0|latest|unknown|)[\"']")


def is_model(context: Context, path: str) -> bool:
    """Whether `path`, the output of a pointer or lock file, is a model.

    The suffix decides as it does for files of the tree; without one that tells, the word in its name does.
    """
    role = _roles(context).role(path.rpartition("/")[2])
    named = path.lower().replace("model_input", "")  # the features of a model are data
    return role is Role.MODEL or (role is not Role.DATA and "model" in named)


def same_version(context: Context, use: Use) -> str:
    """The placeholder that is given as the version of a data set in every run, or empty: `self.data_version = "0"`."""
    path, last = use.location.path, use.location.end_line or use.location.line
    lines = context.documents.text(path).split("\n")
    given = _VERSION.search("\n".join(lines[use.location.line - 1 : last]))
    if given is None:
        return ""
    values = [match[2] for line in lines if (match := _ASSIGNED.fullmatch(line.strip())) and match["name"] == given[1]]
    return values[0] if values and all(_PLACEHOLDER.fullmatch(value) for value in values) else ""


@kept
def artifacts_hold_tables(context: Context) -> bool:
    """Whether main code reads a table from an artifact that it asks the tracker for.

    What a helper logs has its kind from its callers, often from a command line; what comes back as a table is data.
    """
    for _, module in context.modules(notebooks=False):
        asking = {call.scope for call in module.calls if call.name.rpartition(".")[2] == "use_artifact"}
        if asking and any(call.scope in asking and call.name.rpartition(".")[2] in READS for call in module.calls):
            return True
    return False


@kept
def _roles(context: Context) -> RoleCatalogue:
    """The roles that the rules give to names."""
    return RoleCatalogue(context.rules.roles)
