"""Jobs of CI that stop before they begin: they install the project itself, and what makes it a package is not there.

Fact: https://pip.pypa.io/en/stable/topics/local-project-installs/ (what `pip install .`
needs: `pyproject.toml` or `setup.py`)
"""

from __future__ import annotations

from itertools import pairwise

from mlops_scan.automation.model import Run
from mlops_scan.automation.paths import Paths, join
from mlops_scan.ci.model import Step
from mlops_scan.regex import has_any, regex

_DEFINITIONS = ("pyproject.toml", "setup.py", "setup.cfg")
_EDITABLE = frozenset({"-e", "--editable"})
_VALUES = frozenset({"-r", "-c", "-i", "-f", "-t", "--requirement", "--constraint", "--index-url", "--target"})
_EXTRAS = regex(r"\[[\w\s,.-]*\]$")
_BRANCHES = regex(r"\b(cd|pushd|if|for|while|case|test|git|curl|wget|tar|unzip|cp|mv)\s|\|\||\[ |>")
"""What makes it unknown whether a command of a script runs, where it does, or what is there by then."""
_PLAIN_ACTIONS = (
    "actions/checkout", "actions/setup-", "actions/cache", "astral-sh/setup-uv", "conda-incubator/setup-miniconda",
)  # fmt: skip
_PLAIN_COMMANDS = frozenset({"pip", "pip3", "uv", "apt-get", "apt", "echo", "export", "set", "source", ".", "brew"})


def leaves_files(run: Run) -> bool:
    """Whether a command may leave files in the checkout that the repository does not have."""
    if run.words[:1] == ("uses",):
        plain = run.words[1].startswith(_PLAIN_ACTIONS)
        return not plain or any(word.startswith(("repository=", "path=", "ref=")) for word in run.words[2:])
    return bool(run.words) and run.words[0] not in _PLAIN_COMMANDS


def lacks_project(run: Run, step: Step, paths: Paths) -> str:
    """The definition that the repository lacks and without which an installation of its own code fails; else empty."""
    place = _installed(run.words)
    if place is None or run.toothless or step.may_fail or _BRANCHES.search(step.script) is not None:
        return ""
    folder = join(run.folder, place)
    if folder.startswith("..") or not paths.is_folder(folder):
        return ""
    if any(paths.has_here(join(folder, name)) for name in _DEFINITIONS):
        return ""
    return join(folder, _DEFINITIONS[0])


def _installed(words: tuple[str, ...]) -> str | None:
    """The folder of the checkout that `pip install [-e] .` installs, or None."""
    rest = words[1:] if words[:1] == ("uv",) else words
    if rest[:1] not in (("pip",), ("pip3",)) or rest[1:2] != ("install",):
        return None
    for before, word in pairwise(rest[1:]):
        place = _EXTRAS.sub("", word)
        named = place == "." or place.startswith("./") or (before in _EDITABLE and not place.startswith("-"))
        if named and before not in _VALUES and not has_any(place, ("$", ":", "*", "{", "=", "@", "~", "..")):
            return None if place.startswith("/") else place
    return None
