"""Training that only a person starts: whether anything else does, and where a person is told to, by component."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from mlops_scan.automation.model import Run
from mlops_scan.automation.paths import join
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import LEARNS, Context, folded
from mlops_scan.detectors.kept import kept
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import FOREIGN, Evidence, Hop, Problem

_FEW = 50  # names of scripts that every document is asked for, before its lines are
_COMMAND = regex(
    r"\s*(?:(?:\$ |> |!|`)\s*)?((?:\w+=\S+ )*(?:uv run |poetry run |pipenv run )?"
    r"(?:python3?|torchrun|accelerate launch|deepspeed)\s+(\S.*))"
)
_LAUNCHERS = ("python", "torchrun", "accelerate", "deepspeed")  # one of which each match holds
_TRAINS = regex(r"(?:^|[-_.])train(?:ing)?(?=[-_.])", words=("train",))
_EVALUATES = regex(  # options with which a script of training trains nothing
    r"--?(?:(?:eval|evaluate|test|predict|infer|inference)[-_]only|(?:eval|evaluate|inference)(?!\S|\s+[^-\s]))(?!\w)",
    words=("eval", "test", "predict", "infer"),
)
_MAX_RELATED = 3
_MAX_COMMAND = 100  # characters of a command in a message

Told = list[tuple[Evidence, frozenset[str]]]
"""Lines that tell a person to run something, each with the training files that this is about."""


def problems(context: Context, uses: list[Use]) -> Iterator[Problem]:
    """MLS101 and MLS106: one for each component whose training nothing but a person starts; of many one for all."""
    by_component: dict[str, list[Use]] = defaultdict(list)
    for use in uses:
        component = context.component(use.location.path)
        if component or not context.divided or "." in context.components:
            by_component[component].append(use)  # what components share is started by them
    hand = {name: own for name, own in sorted(by_component.items()) if not _otherwise(context, name, own)}
    scripts = {
        name: [u for u in own if not context.index.modules[u.location.path].notebook] for name, own in hand.items()
    }
    told = _documented(context, {use.location.path for own in scripts.values() for use in own})
    found: dict[str, list[Problem]] = defaultdict(list)
    for name, own in hand.items():
        problem = _of_scripts(context, scripts[name], told) if scripts[name] else _of_notebooks(context, name, own)
        if problem is not None:
            found[problem.finding].append(problem)
    for alike in found.values():
        yield from folded(context, alike)


def _of_scripts(context: Context, uses: list[Use], told: Told) -> Problem:
    paths = {use.location.path for use in uses}
    documented = [evidence for evidence, about in told if about & paths]
    text = " ".join(evidence.text for evidence in documented)
    use = min(uses, key=lambda u: _preference(context, u, text))
    documented = [evidence for evidence, about in told if use.location.path in about]
    how = (
        f"documented as `{_shown(documented[0].text)}`"
        if documented
        else "outside tests no CI job, schedule or pipeline reaches it"
        if _tested(context, use)
        else "no CI job, schedule or pipeline reaches it"
    )
    place = context.evidence(use.location.path, use.location.line, Hop.DEFINITION, use.location.end_line)
    who = "its service starts or is asked to" if _served(context, use) else "a person starts it"
    message = f"This training runs only when {who}; {how}."
    return Problem("MLS101", message, place.location, tuple(documented[:_MAX_RELATED]))


def _served(context: Context, use: Use) -> bool:
    """Whether a web service of main code reaches a training: when it starts, or in what answers a request."""
    return (use.location.path, use.scope) in _in_services(context)


@kept
def _in_services(context: Context) -> frozenset[Node]:
    """The code that web services of main code run."""
    services = (use for use in context.doing("serve") if use.location.path in context.index.modules)
    nodes = {(use.location.path, scope) for use in services for scope in ("", use.scope)}
    return frozenset(context.index.reach(sorted(nodes)))


def _shown(command: str) -> str:
    """A documented command in a sentence: cut between two words, and without the mark of a line that goes on."""
    whole = command.removesuffix("\\").rstrip()
    cut = whole if len(whole) <= _MAX_COMMAND else whole[:_MAX_COMMAND].rpartition(" ")[0] or whole[:_MAX_COMMAND]
    return cut if cut == command else f"{cut} …"


def _of_notebooks(context: Context, component: str, uses: list[Use]) -> Problem | None:
    if any(
        _runs_training(context, run) for run in context.commands().values() if _concerns_run(context, run, component)
    ):
        return None  # by its name; what it does to train was not seen
    use = min(uses, key=lambda u: _preference(context, u, ""))
    place = context.evidence(use.location.path, use.location.line, Hop.DEFINITION, use.location.end_line)
    first: dict[str, Use] = {}
    for other in uses:
        first.setdefault(other.location.path, other)
    del first[use.location.path]
    others = tuple(context.evidence(other.location.path, other.location.line) for other in first.values())
    where = f"`{component}`: training" if context.divided else "Training"
    if not others:
        only = "in this notebook, which nothing but a person can run again"
    else:
        more = "one other" if len(others) == 1 else f"{len(others)} others"
        only = f"in notebooks, this one and {more}, which nothing but a person can run again"
    return Problem("MLS106", f"{where} was seen only {only}.", place.location, others[:_MAX_RELATED])


def _preference(context: Context, use: Use, told: str) -> tuple[bool, bool, bool, int]:
    """Sorts first what a reader would name: the documented script, one with a main block, one called so, the surest."""
    name = use.location.path.rpartition("/")[2].removesuffix(".py")
    main = context.index.modules[use.location.path].main_line
    return name not in told, not main, "train" not in name, -use.confidence.strength


# -- what else starts it -----------------------------------------------------------------------------------------------


def _otherwise(context: Context, component: str, uses: list[Use]) -> bool:
    """Whether something but a person starts the training of a component, or a pipeline declares it."""

    def concerns(path: str) -> bool:
        return context.component(path) in ("", component)

    for run in context.leading():
        if any(concerns(path) for path in run.pipelines):
            return True
        start = run.start
        automatic = start.kind in ("ci", "schedule", "event") and not start.blocked
        # a job hands the training to a service, whose image is not followed to the code
        if automatic and any(LEARNS.intersection(u.does) for u in run.uses) and _concerns_run(context, run, component):
            return True
    if any(_automated(context, use) for use in uses):
        return True
    for pipeline in context.automation.pipelines:
        if concerns(pipeline.path) and any(step.does & LEARNS for step in pipeline.steps):
            return True
    definitions = [u for u in context.uses if "define-pipeline" in u.does and u.tool not in context.self_tools]
    return any(
        concerns(use.location.path) and context.reaches(((use.location.path, use.scope),), LEARNS) is not None
        for use in definitions
    )


def _concerns_run(context: Context, run: Run, component: str) -> bool:
    """Whether what a run does may be about a component: neither its line nor its folder is another one's."""
    places = (run.location.path, f"{run.folder}/" if run.folder else "")
    return all(context.component(place) in ("", component) for place in places)


def _automated(context: Context, use: Use) -> bool:
    for started in context.started(use.location.path, use.scope):
        start = started.run.start
        if start.kind in ("ci", "schedule", "event", "pipeline") and not started.run.tests:
            return True
    return False


def _tested(context: Context, use: Use) -> bool:
    """Whether CI, a schedule or a pipeline comes to it, in a run of tests."""
    return any(
        started.run.start.kind in ("ci", "schedule", "event", "pipeline") and started.run.tests
        for started in context.started(use.location.path, use.scope)
    )


def _runs_training(context: Context, run: Run) -> bool:
    """Whether a command runs a file of the repository that is called a training."""
    return any(
        word.endswith((".py", ".sh"))
        and _TRAINS.search(word.rpartition("/")[2])
        and context.resolver.paths.existing(word, run.folder) is not None
        for word in run.words
        if "train" in word
    )


# -- where a person is told to -----------------------------------------------------------------------------------------


def _documented(context: Context, scripts: set[str]) -> Told:
    """Lines of documents and scripts in which a person is told to run one of the training scripts."""
    if not scripts:
        return []
    by_name: dict[str, list[str]] = defaultdict(list)
    for path in sorted(scripts):
        by_name[path.rpartition("/")[2]].append(path)
    stems = {name.removesuffix(".py") for name in by_name}
    found: Told = []
    for file in context.ending((".md", ".rst", ".txt", ".sh"), aside=True):
        if file.size > 500_000 or file.role in FOREIGN:
            continue
        text = context.documents.text(file.path)
        if (".py" not in text and "-m" not in text) or (len(stems) <= _FEW and not any(stem in text for stem in stems)):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if not any(word in line for word in _LAUNCHERS):
                continue
            match = _COMMAND.fullmatch(line[:400])
            if match is None or _EVALUATES.search(match.group(2)):
                continue
            words = match.group(2).replace("`", " ").split()
            names = [name.replace(".", "/") + ".py" for flag, name in pairwise(words) if flag == "-m"]
            names += [word for word in words if word.endswith(".py")]
            about = {path for name in names for path in _named(context, name, file.folder, by_name)}
            if about:
                shown = match.group(1).partition("`")[0].strip()[:160]
                found.append((context.evidence(file.path, number, Hop.TRIGGER, text=shown), frozenset(about)))
    return found


def _named(context: Context, name: str, folder: str, by_name: Mapping[str, list[str]]) -> Iterable[str]:
    """The training scripts that a name in a document of a folder stands for.

    That is the file as seen from the folder or the root, or what running it trains; else, the reader having gone
    elsewhere before, the files of that name, first those below the document or in its component, if they are of one.
    """
    alike = by_name.get(name.rpartition("/")[2], ())
    if not alike:
        return ()
    files = context.documents.files
    there = next((path for path in (join(folder, name), join("", name)) if path in files), "")
    if there:
        if there in alike:
            return (there,)
        use = context.reaches(context.index.script_entries(there), LEARNS)
        return () if use is None else (use.location.path,)
    home = context.component(f"{folder}/")
    near = [path for path in alike if path.startswith(f"{folder}/")] if folder else []
    chosen = near or [path for path in alike if home in ("", context.component(path))]
    return chosen if len({context.component(path) for path in chosen}) == 1 else ()
