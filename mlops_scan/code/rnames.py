"""Names of R code: which package may be meant where a file does not say, and which of the repository's own functions.

`documents.r_syntax` says how R's names are written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from mlops_scan.code.facts import Module
from mlops_scan.code.names import common_folders
from mlops_scan.documents.languages import R_SUFFIXES
from mlops_scan.documents.r_names import ANONYMOUS, ROOT, UNKNOWN

__all__ = ["BARE", "ROOT", "RFunctions", "attached", "named_scope", "package_of", "whole_name"]

_ROOT = f"{ROOT}."
BARE = f"{ROOT}.{UNKNOWN}."
"""How the names of functions begin whose package the file does not say."""


def package_of(name: str) -> str:
    """The R package that an import `R.package` means, empty for names of another kind."""
    return name[len(_ROOT) :] if name.startswith(_ROOT) else ""


def attached(module: Module) -> Iterator[str]:
    """The packages that an R file attaches or names."""
    return (package for item in module.imports if (package := package_of(item.name)))


def whole_name(package: str, rest: str) -> str:
    """The name of what a package exports."""
    return f"{_ROOT}{package}.{rest}"


def named_scope(scope: str) -> str:
    """The scope without the functions in it that have no name: `lapply(x, function(i) …)` runs where it stands."""
    while (last := scope.rpartition(".")[2]).startswith(ANONYMOUS):
        scope = scope[: -len(last)].rstrip(".")
    return scope


class RFunctions:
    """The functions that R files define at their outermost level, which are one space of names for all of them."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self._by_name: dict[str, list[str]] = defaultdict(list)
        packages: dict[str, None] = {}
        for path, module in modules.items():
            if path.endswith(R_SUFFIXES):
                packages.update(dict.fromkeys(attached(module)))
                for name in module.functions:
                    if "." not in name:
                        self._by_name[name].append(path)
        self.packages: Collection[str] = packages
        """All packages that any of the files attaches or names."""

    def find(self, name: str, path: str) -> tuple[str, str, str] | None:
        """The file and the name of the function that a bare name means in the file at `path`, and what is asked of it.

        Of several files that define it the one that shares most folders; None where that does not tell.
        """
        rest = name[len(BARE) :]
        function = rest.replace(".", "_")
        asked = ""
        if function not in self._by_name and "." in rest:  # a method of what the function returns
            head, _, asked = rest.rpartition(".")
            function = head.replace(".", "_")
        paths = self._by_name.get(function, ())
        if len(paths) > 1:
            folder = path.rpartition("/")[0]
            shared = {other: common_folders(other.rpartition("/")[0], folder) for other in paths}
            most = max(shared.values())
            paths = [other for other in paths if shared[other] == most]
        return (paths[0], function, asked) if len(paths) == 1 else None
