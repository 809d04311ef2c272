"""Repositories of many independent pieces: the lessons of a course, or a collection of example projects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mlops_scan.detectors.kept import kept
from mlops_scan.engine.readme import Telling
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.words import Location, Role

if TYPE_CHECKING:
    from mlops_scan.detectors.base import Context  # imports most of the program, and a kept report needs folders only

_LESSON = regex(
    r"(s?\d{1,2}|(week|lessons?|module|chapter|chap|ch|day|labs?|unit|session|part)[_-]?\d+)([-_ .].*)?",
    re.I,
    tuple("0123456789"),
)
_NAMED_LESSON = regex(
    r"(week|lessons?|module|chapter|chap|labs?|unit|session|day)[_-]?\d+([-_ .].*)?",
    re.I,
    ("week", "lesson", "module", "chap", "lab", "unit", "session", "day"),
)
_SHELF = regex(
    r"(labs?|lessons?|modules|weeks|chapters|course|lectures?|workshops?|exercises|tutorials?)"
    r"([-_ ]?(materials?|contents?|files|notebooks|resources))?",
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
_GUIDE = regex(r"\b(guide|course|tutorials?|workshop|bootcamp|lectures|curriculum|book)\b", re.I)
_LINKS = regex(r"\bawesome\b", re.I, ("awesome",))  # as lists of links are called
_DEMOS = regex(r"\b(demos|samples)\b", re.I, ("demos", "samples"))
_SHOWN = ("train", "tune", "predict", "load-model", "serve", "define-pipeline", "run-pipeline")
_SITES = ("docusaurus.config.js", "docusaurus.config.ts", "mkdocs.yml", "mkdocs.yaml", "_config.yml", "book.toml",
          "_quarto.yml", "hugo.toml")  # fmt: skip
_TOPIC = regex(r"\b(ml-?ops|llm-?ops|machine learning|deep learning|data science|ml engineering)\b", re.I)
_CODE = (".py", ".ipynb", ".r", ".scala", ".jl")
_LONGEST = max(map(len, _CODE))
_PAIR = regex(r"(?<![a-z])(exercise|solution)s?(?![a-z])", re.I, ("exercise", "solution"))
_TWINS = frozenset({"exercise", "exercises", "lab", "labs", "solution", "solutions", "starter"})  # of one lesson
_MIN_LESSONS = 3
_MIN_NAMED = 5  # folders deep in a tree need more of them to be no accident
_MIN_PROJECTS = 6
_MIN_PAIRS = 2  # files of exercises with a solution each
_MIN_DEMOS = 4  # folders with a README, where the title speaks of demos
_SITE_TEXTS = 10  # pages of a site for each file of code beside them
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

    They stand at the top, on one shelf (`labs/01-data`), or, with a word in their names, anywhere (`dvc/lab_2`). Where
    enough of them hold code, those that hold none are left out.
    """
    folders = {file.folder: None for file in files if "/" in file.path}
    split = [folder.split("/") for folder in folders]
    coded = {file.folder for file in files if file.path[-_LONGEST:].lower().endswith(_CODE)}
    tops = {parts[0] for parts in split}
    if sum(1 for top in tops if _LESSON.fullmatch(top)) >= _MIN_LESSONS:
        return _with_code(_outermost(split, _LESSON), coded)
    shelved = {(parts[0], parts[1]) for parts in split if len(parts) > 1 and _SHELF.fullmatch(parts[0])}
    on_shelf = {f"{shelf}/{name}" for shelf, name in shelved if _LESSON.fullmatch(name)}
    if len(on_shelf) >= _MIN_LESSONS:
        return _with_code(on_shelf, coded)
    found = _outermost((folder.split("/") for folder in coded), _NAMED_LESSON)
    return tuple(sorted(found)) if len(found) >= _MIN_NAMED else ()


def _with_code(folders: set[str], coded: set[str]) -> tuple[str, ...]:
    """The folders in order, without those that hold no code where enough others do."""
    held = {home for folder in coded if (home := _home(f"{folder}/", folders))}
    return tuple(sorted(held if len(held) >= _MIN_LESSONS else folders))


@kept
def lessons(context: Context) -> tuple[str, ...]:
    """What `lesson_folders` finds in a repository."""
    return lesson_folders(context.repository.files)


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


def beside(context: Context, named: Iterable[str], work: set[str], parts: frozenset[str]) -> set[str]:
    """Other folders of a course with work of their own: the outermost ones that hold no lesson.

    `work` are the files that train or declare a pipeline, `parts` names of folders that are a part of something. A
    folder that only holds several such folders is none itself, nor is one whose code lessons import.
    """
    lessons_ = set(named)
    holding = {lesson[:at] for lesson in lessons_ for at, letter in enumerate(lesson) if letter == "/"}
    found: set[str] = set()
    for path in work:
        folders = path.split("/")[:-1]
        outer = ("/".join(folders[: depth + 1]) for depth in range(len(folders)))
        top = next((folder for folder in outer if folder not in holding), "")
        if top and not _home(path, lessons_) and top.rpartition("/")[2].lower() not in parts:
            found.add(top)
    if not found:
        return found
    own = {file.folder for file in context.files() if is_manifest(file.name) or file.name.lower().endswith(_CODE)}
    apart = {inner for folder in found for inner in _apart(folder, work, own, parts)}
    imported = _imported(context, lessons_)
    return {folder for folder in apart if not any(path.startswith(folder + "/") for path in imported)}


def _apart(folder: str, work: set[str], own: set[str], parts: frozenset[str]) -> Iterator[str]:
    """A folder, or where it has no code of its own the several folders with work in it."""
    inner = {path[len(folder) + 1 :].partition("/")[0] for path in work if path.startswith(folder + "/")}
    if folder in own or len(inner) < 2 or inner <= _TWINS or any(name.lower() in parts for name in inner):
        yield folder
        return
    for name in sorted(inner):
        yield from _apart(f"{folder}/{name}", work, own, parts)


def exercises(context: Context) -> tuple[str, ...]:
    """Code to be completed by learners that has a solution beside it: `1_exercise.ipynb` and `1_solution.ipynb`."""
    said: dict[str, dict[str, str]] = {}
    for file in context.repository.files:
        if file.role is not Role.VENDORED and file.path.lower().endswith(_CODE):
            for found in _PAIR.finditer(file.path):
                rest = f"{file.path[: found.start()]}*{file.path[found.end() :]}".lower()
                said.setdefault(rest, {})[found.group(1).lower()] = file.path
    pairs = sorted(both["exercise"] for both in said.values() if len(both) == 2)
    return tuple(pairs) if len(pairs) >= _MIN_PAIRS else ()


def _imported(context: Context, folders: set[str]) -> set[str]:
    """The files outside some folders that code in them imports."""
    index = context.index
    found = set()
    for path, module in index.modules.items():
        home = _home(path, folders)
        for item in module.imports if home else ():
            target = None if index.is_foreign(item.name) else index.find_module(item.name, path)
            if target is not None and not target[0].startswith(home + "/"):
                found.add(target[0])
    return found


@kept
def project_folders(context: Context) -> tuple[str, ...]:
    """Folders of a collection of independent projects: each has dependencies of its own and fits a model.

    Six of them are a collection; where the README speaks of examples, labs or tutorials, three are.
    """
    manifests = {
        file.folder
        for file in context.repository.files
        if file.folder and file.role in (Role.SOURCE, Role.EXAMPLE) and is_manifest(file.name)
    }
    from mlops_scan.detectors.base import LEARNS

    work = {use.location.path for use in context.doing(*LEARNS)}
    outermost = {folder for folder in manifests if not _home(folder, manifests)}
    homes = {path: _home(path, outermost) for path in work}
    found = tuple(sorted({home for home in homes.values() if home}))
    told = len(found) >= _MIN_TOLD and _MANY.search(readme_head(context)) is not None
    if (len(found) < _MIN_PROJECTS and not told) or sum(map(bool, homes.values())) * 2 < len(work):
        return _demos(context)
    readmes = _with_readme(context)
    return tuple(sorted(_raised(folder, readmes, homes) for folder in found))


def _with_readme(context: Context) -> set[str]:
    """The folders with a README."""
    return {file.folder for file in context.repository.files if file.name.lower().startswith("readme.")}


def _raised(folder: str, readmes: set[str], homes: dict[str, str]) -> str:
    """The outermost folder with a README in which a project lies alone, or the project: `a` for `a/build`.

    What stands beside the code, such as its deployment, is of the project too; a folder of several with a README each
    is a shelf. `homes` are the projects of all files with work; one that is in none keeps a folder from being theirs.
    """
    beside = {readme.rpartition("/")[0] for readme in readmes if not f"{folder}/".startswith(f"{readme}/")}
    raised, outer = folder, folder.rpartition("/")[0]
    while outer and not _SHELF.fullmatch(outer.rpartition("/")[2]) and _alone(f"{outer}/", folder, homes):
        raised = outer if outer in readmes and outer not in beside else raised
        outer = outer.rpartition("/")[0]
    return raised


def _alone(outer: str, folder: str, homes: dict[str, str]) -> bool:
    """Whether all work in an outer folder is that of one project."""
    return all(home == folder for path, home in homes.items() if path.startswith(outer))


def _demos(context: Context) -> tuple[str, ...]:
    """Folders at the top with a README and work on a model of their own, where the title of the whole says demos."""
    if not _DEMOS.search(_title(readme_head(context))):
        return _examples(context)
    readmes = _with_readme(context)
    work = {use.location.path for use in context.doing(*_SHOWN)}
    tops = {path.partition("/")[0] for path in work if "/" in path} & readmes
    inside = sum(1 for path in work if path.partition("/")[0] in tops)
    if len(tops) < _MIN_DEMOS or inside * 2 < len(work):
        return ()
    return () if any(_home(path, tops) for path in _imported(context, tops)) else tuple(sorted(tops))


def _examples(context: Context) -> tuple[str, ...]:
    """Folders that fit a model each and share no code, where the README calls the whole a collection of examples."""
    if not _is_collection(context):
        return ()
    from mlops_scan.detectors.base import LEARNS

    found = {use.location.path.rpartition("/")[0] for use in context.doing(*LEARNS)} - {""}
    if len(found) < _MIN_DEMOS or any(_home(path, found) for path in _imported(context, found)):
        return ()
    return tuple(sorted(folder for folder in found if not _home(folder, found)))


def collected_example(context: Context) -> Location | None:
    """The first of several examples that fit a model, where the README calls the repository a collection of such.

    Main code that fits one is a small part of it: what helps the examples.
    """
    if not _is_collection(context):
        return None
    from mlops_scan.detectors.base import LEARNS

    fits = {use.location.path: use.location for use in context.doing(*LEARNS, aside=True)}
    roles = {path: context.role(path) for path in fits}
    examples = [where for path, where in fits.items() if roles[path] is Role.EXAMPLE]
    others = sum(1 for role in roles.values() if role in (Role.SOURCE, Role.NOTEBOOK))
    return examples[0] if len(examples) >= _MIN_TOLD * max(others, 1) else None


def _is_collection(context: Context) -> bool:
    path = readme_path(context)
    return bool(path) and Telling(context.documents.text(path)).collection()


def _home(path: str, folders: set[str]) -> str:
    """The outermost of some folders that holds a file or folder, or empty."""
    parts = path.split("/")[:-1]
    return next((f for i in range(1, len(parts) + 1) if (f := "/".join(parts[:i])) in folders), "")


def is_guide(context: Context) -> bool:
    """Whether the repository is written material about machine learning, without a program of its own."""
    written = sum(1 for file in context.repository.files if file.suffix in (".md", ".rst", ".qmd", ".mdx"))
    code = sum(1 for file in context.repository.files if file.suffix in (".py", ".ipynb", ".go", ".java", ".rs", ".ts"))
    head = readme_head(context, 15)
    return written > code and bool(_GUIDE.search(_title(head)) and _TOPIC.search(head))


def is_list(context: Context) -> bool:
    """Whether the repository is a list of links about machine learning."""
    head = readme_head(context, 15)
    return bool(_LINKS.search(_title(head)) and _TOPIC.search(head))


def is_site(context: Context) -> bool:
    """Whether the repository is a site of written pages with next to no code."""
    if not any(not file.folder for file in context.named(*_SITES, aside=True)):
        return False
    written = sum(1 for file in context.repository.files if file.suffix in (".md", ".mdx", ".rst", ".qmd"))
    code = sum(1 for file in context.repository.files if file.suffix in (".py", ".ipynb", ".go", ".java", ".rs"))
    return written >= _SITE_TEXTS * max(code, 1)


def speaks_of_ml(context: Context) -> bool:
    """Whether the head of the README is about machine learning."""
    return _TOPIC.search(readme_head(context, 15)) is not None


def _title(head: str) -> str:
    """The first heading of a README, or its first line."""
    return next((line for line in head.split("\n") if line.startswith("#")), head.split("\n", 1)[0])
