"""What was followed from a start to a command, a script or a practice: the chains behind the grades, as trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from mlops_scan.automation.model import Run, Start
from mlops_scan.code.facts import MAIN
from mlops_scan.detectors.base import Context
from mlops_scan.engine.report import ComponentResult
from mlops_scan.fingerprints.use import Use
from mlops_scan.words import Location

_MAX_USES = 8  # of what one command reaches


class Branch(Struct):
    """One step of a chain: what it is, where it stands (empty where it has no place), and what follows from it."""

    text: str
    place: str = ""
    children: dict[tuple[str, str], Branch] = field(default_factory=dict)

    def add(self, text: str, place: str = "") -> Branch:
        """The child of that text and place, made where there is none."""
        return self.children.setdefault((text, place), Branch(text, place))


def of_place(context: Context, path: str, line: int = 0) -> list[Branch]:
    """One tree for each start whose chain touches a file, or one line of it (0: any)."""
    root = Branch("")
    for run in context.automation.runs:
        if _touches(context, run, path, line):
            _grow(context, root.add(_label(run.start), str(run.start.evidence.location)), run)
    return list(root.children.values())


def of_practice(component: ComponentResult, practice: str) -> Branch | None:
    """The evidence of one practice with its grade, None where the rules have no such practice."""
    result = next((item for item in component.practices if item.id == practice), None)
    if result is None:
        return None
    root = Branch(f"{practice}: {result.grade.value}" + (f", {result.reason}" if result.reason else ""))
    for evidence in result.evidence:
        root.add(
            f"{evidence.hop.value}: {evidence.text}" if evidence.text else evidence.hop.value, str(evidence.location)
        )
    return root


def _touches(context: Context, run: Run, path: str, line: int) -> bool:
    places = (run.location, *(evidence.location for evidence in run.chain))
    if any(_holds(place, path, line) for place in places):
        return True
    return any(
        node[0] == path and _in_scope(context, node[0], node[1], line) for node in context.automation.reached(run)
    )


def _holds(place: Location, path: str, line: int) -> bool:
    return place.path == path and (not line or place.line <= line <= place.end_line)


def _in_scope(context: Context, path: str, scope: str, line: int) -> bool:
    if not line:
        return True
    module = context.index.modules.get(path)
    if module is None:
        return False
    function = module.functions.get(scope)
    if function is not None:
        return function.line <= line <= function.end_line
    inside = any(item.line <= line <= item.end_line for item in module.functions.values())
    if scope == MAIN:
        return not inside and bool(module.main_line) and line >= module.main_line
    return scope == "" and not inside and not (module.main_line and line >= module.main_line)


def _label(start: Start) -> str:
    notes = [start.blocked and f"does not start by itself: {start.blocked}"]
    notes.append(start.may_fail and f"its failure has no effect: {start.may_fail}")
    said = "; ".join(note for note in notes if note)
    triggers = f" on {', '.join(sorted(start.triggers))}" if start.triggers else ""
    return f"{start.kind} {start.label}{triggers}" + (f" ({said})" if said else "")


def _grow(context: Context, branch: Branch, run: Run) -> None:
    """Add one run below its start: the hops, the command, and what it comes to."""
    for evidence in run.chain[1:]:
        branch = branch.add(evidence.text or evidence.hop.value, str(evidence.location))
    if run.words:
        branch = branch.add(" ".join(run.words)[:160], str(run.location))
    for text, place in _outcomes(context, run):
        branch.add(text, place)


def _outcomes(context: Context, run: Run) -> Iterator[tuple[str, str]]:
    if run.swallowed:
        yield f"a failure here has no effect: {run.swallowed}", ""
    if run.missing:
        yield f"not there: {run.missing}", ""
    if run.unresolved:
        yield f"not followed: {run.unresolved}", ""
    for use in run.uses:
        yield _use(use), ""
    for path in run.tests:
        yield f"runs the tests of {path}", f"{path}:1"
    for path in dict.fromkeys(path for path, _ in run.entries):
        yield f"runs {path}", f"{path}:1"
    for path in run.pipelines:
        yield f"runs the pipeline of {path}", f"{path}:1"
    reached = list(_reached(context, run))
    for use in reached[:_MAX_USES]:
        yield f"reaches {_use(use)}", str(use.location)
    if len(reached) > _MAX_USES:
        yield f"and {len(reached) - _MAX_USES} more uses of tools", ""


def _reached(context: Context, run: Run) -> Iterable[Use]:
    nodes = context.automation.reached(run) if run.entries or run.tests else {}
    found = {(use.tool, use.does): use for node in nodes for use in reversed(context.by_node.get(node, ())) if use.does}
    return found.values()


def _use(use: Use) -> str:
    done = ", ".join(use.does) or ", ".join(use.serves)
    return f"{use.tool} `{use.name}`" + (f": {done}" if done else "")
