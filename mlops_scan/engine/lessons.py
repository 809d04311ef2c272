"""Repositories of many independent pieces: the lessons of a course, or a collection of example projects."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.words import Role

if TYPE_CHECKING:
    from mlops_scan.detectors.base import Context  # imports most of the program, and a kept report needs folders only

_LESSON = regex(
    r"(s?\d{1,2}|(week|lessons?|module|chapter|ch|day|labs?|unit|session|part)[_-]?\d+)([-_ .].*)?",
    re.I,
    tuple("0123456789"),
)
_NAMED_LESSON = regex(
    r"(week|lessons?|module|chapter|labs?|unit|session|day)[_-]?\d+([-_ .].*)?",
    re.I,
    ("week", "lesson", "module", "chapter", "lab", "unit", "session", "day"),
)
_SHELF = regex(
    r"(labs?|lessons?|modules|weeks|chapters|course|lectures?|workshops?|exercises|tutorials?)",
    re.I,
    ("lab", "lesson", "modules", "weeks", "chapters", "course", "lecture", "workshop", "exercises", "tutorial"),
)
_MANIFEST = regex(
    r"(pyproject\.toml|setup\.py|requirements[\w.-]*\.txt|environment\.ya?ml|conda\.ya?ml|mlproject|pipfile)",
    re.I,
    ("pyproject.toml", "setup.py", "requirements", "environment.", "conda.", "mlproject", "pipfile"),
)
_USUAL = frozenset({"pyproject.toml", "setup.py", "requirements.txt", "environment.yml", "MLproject", "Pipfile"})
_MANY = regex(
    r"\b(course|tutorials?|workshops?|bootcamp|lessons|labs|lectures|curriculum|examples|cookbook|collection|"
    r"(sample|example|demo) projects|projects built)\b",
    re.I,
)
_GUIDE = regex(r"\b(guide|course|tutorials?|workshop|bootcamp|lectures|curriculum|awesome|book)\b", re.I)
_TOPIC = regex(r"\b(ml-?ops|llm-?ops|machine learning|deep learning|data science|ml engineering)\b", re.I)
_CODE = (".py", ".ipynb", ".r", ".scala", ".jl")
_LONGEST = max(map(len, _CODE))
_MIN_LESSONS = 3
_MIN_NAMED = 5  # folders deep in a tree need more of them to be no accident
_MIN_PROJECTS = 6
_MIN_TOLD = 3  # projects, where the README speaks of many
_HEAD = 40  # lines of a README that say what a repository is


def is_manifest(name: str) -> bool:
    """Whether a file of that name says what a project depends on."""
    return name in _USUAL or _MANIFEST.fullmatch(name) is not None


def readme_head(context: Context, lines: int = _HEAD) -> str:
    """The first lines of the README at the root, or nothing."""
    path = readme_path(context)
    return "\n".join(context.documents.text(path).split("\n")[:lines]) if path else ""


def readme_path(context: Context) -> str:
    """The README at the root, or an empty string."""
    names = ("readme.md", "readme.rst", "readme.txt", "readme")
    return next((file.path for file in context.repository.files if file.path.lower() in names), "")


def lesson_folders(files: tuple[File, ...]) -> tuple[str, ...]:
    """Folders that are lessons of a course, the outermost of each branch; nothing without enough of them.

    They stand at the top, on one shelf (`labs/01-data`), or, with a word in their names, anywhere (`dvc/lab_2`).
    """
    folders = {file.folder: None for file in files if "/" in file.path}
    split = [folder.split("/") for folder in folders]
    tops = {parts[0] for parts in split}
    if sum(1 for top in tops if _LESSON.fullmatch(top)) >= _MIN_LESSONS:
        return tuple(sorted(_outermost(split, _LESSON)))
    shelved = {(parts[0], parts[1]) for parts in split if len(parts) > 1 and _SHELF.fullmatch(parts[0])}
    on_shelf = [f"{shelf}/{name}" for shelf, name in shelved if _LESSON.fullmatch(name)]
    if len(on_shelf) >= _MIN_LESSONS:
        return tuple(sorted(on_shelf))
    coded = {file.folder for file in files if file.path[-_LONGEST:].lower().endswith(_CODE)}
    found = _outermost((folder.split("/") for folder in coded), _NAMED_LESSON)
    return tuple(sorted(found)) if len(found) >= _MIN_NAMED else ()


def lessons(context: Context) -> tuple[str, ...]:
    """What `lesson_folders` finds in a repository."""
    if "lessons" not in context.cache:
        context.cache["lessons"] = lesson_folders(context.repository.files)
    return cast("tuple[str, ...]", context.cache["lessons"])


def _outermost(folders: Iterable[list[str]], lesson: re.Pattern[str]) -> set[str]:
    """The outermost folder of each path that is named as a lesson."""
    found: set[str] = set()
    known: dict[str, bool] = {}  # trees repeat the names of folders
    for parts in folders:
        for part in parts:
            if part not in known:
                known[part] = lesson.fullmatch(part) is not None
        depth = next((i for i, part in enumerate(parts) if known[part]), None)
        if depth is not None:
            found.add("/".join(parts[: depth + 1]))
    return found


def project_folders(context: Context) -> tuple[str, ...]:
    """Folders of a collection of independent projects: each has dependencies of its own and fits a model.

    Six of them are a collection; where the README speaks of examples, labs or tutorials, three are.
    """
    known = context.cache.get("project folders")
    if known is None:
        known = context.cache["project folders"] = _find_projects(context)
    return cast("tuple[str, ...]", known)


def _find_projects(context: Context) -> tuple[str, ...]:
    manifests = {
        file.folder
        for file in context.repository.files
        if file.folder and file.role in (Role.SOURCE, Role.EXAMPLE) and is_manifest(file.name)
    }
    from mlops_scan.detectors.base import LEARNS

    work = {use.location.path for use in context.doing(*LEARNS)}
    outermost = {folder for folder in manifests if not _home(folder, manifests)}
    homes = {path: home for path in work if (home := _home(path, outermost))}
    found = tuple(sorted(set(homes.values())))
    told = len(found) >= _MIN_TOLD and _MANY.search(readme_head(context)) is not None
    if (len(found) < _MIN_PROJECTS and not told) or len(homes) * 2 < len(work):
        return ()
    return found


def _home(path: str, folders: set[str]) -> str:
    """The outermost of some folders that holds a file or folder, or empty."""
    parts = path.split("/")[:-1]
    return next((f for i in range(1, len(parts) + 1) if (f := "/".join(parts[:i])) in folders), "")


def is_guide(context: Context) -> bool:
    """Whether the repository is written material about machine learning, without a program of its own."""
    written = sum(1 for file in context.repository.files if file.suffix in (".md", ".rst", ".qmd", ".mdx"))
    code = sum(1 for file in context.repository.files if file.suffix in (".py", ".ipynb", ".go", ".java", ".rs", ".ts"))
    head = readme_head(context, 15)
    title = next((line for line in head.split("\n") if line.startswith("#")), head.split("\n", 1)[0])
    return written > code and bool(_GUIDE.search(title) and _TOPIC.search(head))
