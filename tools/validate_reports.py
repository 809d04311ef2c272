"""Let the programs that read our reports read them: `python tools/validate_reports.py [FOLDER ...]`.

Scans each folder (default: some of `fixtures/`) and one with hostile names and contents, writes every format, and
gives the files to their consumers:

- SARIF: the OASIS schema, Microsoft's sarif-multitool (npm, brings its own .NET) with GitHub's ingestion rules,
  sarif-tools (PyPI);
- JUnit: junitparser; GitLab Code Quality: the shape of its documentation; Markdown: markdown-it; CSV, SVG: Python's;
- CycloneDX: the schema that the Python library brings, and the library's own reader;
- HTML: Chromium with playwright-core and axe-core (npm): empty console, no request, no serious violation.

What cannot be installed here is skipped, loudly; `--require-all` makes a skip a failure. Exits 1 with problems.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # for `tests`
FIXTURES = ("level1-manual", "level3-gitlab", "level4-full", "impostor", "monorepo", "non-ml", "broken")
NPM = ("@microsoft/sarif-multitool@5", "axe-core@4", "playwright-core@1")
EXTENSIONS = {
    "text": "txt",
    "json": "json",
    "sarif": "sarif",
    "html": "html",
    "markdown": "md",
    "github": "log",
    "gitlab-codequality": "codequality.json",
    "junit": "xml",
    "csv": "csv",
    "cyclonedx": "cdx.json",
    "badge": "svg",
    "shields": "shields.json",
}
# The tool has no public page yet, so no `informationUri`.
ACCEPTED = frozenset({"SARIF2005"})
MINUTES = 10 * 60


class Skip(Exception):
    """A consumer that is not available here, and why."""


class Scanned(NamedTuple):
    """The files of one folder by format."""

    name: str
    files: dict[str, Path]


def main() -> int:
    """Scan, validate, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--output", type=Path, help="keep the reports here")
    parser.add_argument("--tools", type=Path, help="keep the downloaded programs here")
    parser.add_argument("--require-all", action="store_true", help="a consumer that is skipped is a failure")
    options = parser.parse_args()
    folders = options.folders or [ROOT / "fixtures" / name / "repo" for name in FIXTURES]
    with tempfile.TemporaryDirectory(prefix="mlops-scan-reports-") as temporary:
        output = (options.output or Path(temporary) / "reports").resolve()
        tools = (options.tools or Path(temporary) / "tools").resolve()
        for folder in (output, tools):
            folder.mkdir(parents=True, exist_ok=True)
        scanned = [_scan(folder.resolve(), output) for folder in (*folders, *_hostile(Path(temporary)))]
        problems, skipped = _validate(scanned, tools)
    for problem in problems:
        print(f"PROBLEM {problem}", file=sys.stderr)
    for reason in skipped:
        print(f"SKIPPED {reason}", file=sys.stderr)
    print(f"{len(scanned)} repositories, {len(problems)} problems, {len(skipped)} consumers skipped")
    return 1 if problems or (options.require_all and skipped) else 0


def _hostile(temporary: Path) -> Iterator[Path]:
    from tests.reports.hostile import write_hostile

    folder = temporary / "hostile"
    folder.mkdir()
    try:
        yield write_hostile(folder)
    except OSError as error:
        print(f"SKIPPED the hostile folder: this file system has no such names ({error})", file=sys.stderr)


def _scan(folder: Path, output: Path) -> Scanned:
    name = folder.parent.name if folder.name == "repo" else folder.name
    files = {format_name: output / f"{name}.{ending}" for format_name, ending in EXTENSIONS.items()}
    targets = [part for format_name, path in files.items() for part in ("-f", f"{format_name}:{path}")]
    subprocess.run([sys.executable, "-m", "mlops_scan", str(folder), "--isolated", *targets], check=True, cwd=ROOT)
    return Scanned(name, files)


def _validate(scanned: Sequence[Scanned], tools: Path) -> tuple[list[str], list[str]]:
    consumers: tuple[tuple[str, Callable[[Sequence[Scanned], Path], Iterator[str]]], ...] = (
        ("formats", _formats),
        ("Python's readers", _plain),
        ("Code Quality shape", _code_quality),
        ("OASIS schema of SARIF", _sarif_schema),
        ("junitparser", _junitparser),
        ("CycloneDX schema and reader", _cyclonedx),
        ("markdown-it", _markdown),
        ("sarif-multitool", _multitool),
        ("sarif-tools", _sarif_tools),
        ("Chromium and axe-core", _browser),
    )
    problems: list[str] = []
    skipped: list[str] = []
    for name, check in consumers:
        try:
            found = [f"{name}: {problem}" for problem in check(scanned, tools)]
        except Skip as reason:
            skipped.append(f"{name}: {reason}")
        else:
            problems += found
            print(f"{name}: {len(found)} problems")
    return problems, skipped


def _formats(scanned: Sequence[Scanned], tools: Path) -> Iterator[str]:
    from mlops_scan.reports import FORMATS

    if set(FORMATS) != set(EXTENSIONS):
        yield f"this script does not know {set(FORMATS) ^ set(EXTENSIONS)}"


def _plain(scanned: Sequence[Scanned], tools: Path) -> Iterator[str]:
    """What the standard library reads: JSON, XML, CSV; and the same number of findings wherever all are listed."""
    for name, files in scanned:
        count = len(json.loads(_text(files["json"]))["findings"])
        ElementTree.fromstring(_text(files["badge"]))
        with files["csv"].open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream, strict=True))
        if len({len(row) for row in rows}) != 1:
            yield f"{name}: the rows of the CSV have different lengths"
        if len(json.loads(_text(files["sarif"]))["runs"][0]["results"]) != count:
            yield f"{name}: SARIF and JSON have different numbers of findings"
        if _text(files["github"]).count(" file=") < count:
            yield f"{name}: a finding has no annotation"
        if json.loads(_text(files["shields"]))["schemaVersion"] != 1:
            yield f"{name}: not an endpoint badge"


def _code_quality(scanned: Sequence[Scanned], tools: Path) -> Iterator[str]:
    jsonschema = _module("jsonschema")
    schema = json.loads(_text(ROOT / "tests" / "data" / "gitlab-codequality.json"))
    for name, files in scanned:
        issues = json.loads(_text(files["gitlab-codequality"]))
        errors = jsonschema.Draft202012Validator(schema).iter_errors(issues)
        yield from (f"{name}: {error.message}" for error in errors)
        if len({issue["fingerprint"] for issue in issues}) != len(issues):
            yield f"{name}: a fingerprint occurs twice"


def _sarif_schema(scanned: Sequence[Scanned], tools: Path) -> Iterator[str]:
    jsonschema = _module("jsonschema")
    validator = jsonschema.Draft4Validator(json.loads(_text(ROOT / "tests" / "data" / "sarif-2.1.0.json")))
    for name, files in scanned:
        yield from (f"{name}: {error.message}" for error in validator.iter_errors(json.loads(_text(files["sarif"]))))


def _junitparser(scanned: Sequence[Scanned], tools: Path) -> Iterator[str]:
    junitparser = _module("junitparser")
    for name, files in scanned:
        suites = junitparser.JUnitXml.fromfile(str(files["junit"]))
        claimed = (suites.tests, suites.failures, suites.skipped)
        suites.update_statistics()
        if claimed != (suites.tests, suites.failures, suites.skipped):
            yield f"{name}: the counts {claimed} are wrong"


def _cyclonedx(scanned: Sequence[Scanned], tools: Path) -> Iterator[str]:
    _module("cyclonedx.validation.json")
    from cyclonedx.exception import MissingOptionalDependencyException
    from cyclonedx.model.bom import Bom
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    for name, files in scanned:
        text = _text(files["cyclonedx"])
        try:
            error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
        except MissingOptionalDependencyException as missing:
            raise Skip(f"{missing}; install the extra `test`") from missing
        if error is not None:
            yield f"{name}: {error}"
            continue
        data = json.loads(text)
        read = Bom.from_json(data)  # type: ignore[attr-defined]
        if len(read.components) != len(data.get("components", ())) or len(read.services) != len(
            data.get("services", ())
        ):
            yield f"{name}: the library reads another number of assets"


def _markdown(scanned: Sequence[Scanned], tools: Path) -> Iterator[str]:
    reader = _module("markdown_it").MarkdownIt("commonmark", {"html": True})
    for name, files in scanned:
        page = reader.render(_text(files["markdown"]))
        if page.count("<details>") != page.count("</details>") or "<h2>MLOps maturity" not in page:
            yield f"{name}: the page is not whole"


def _multitool(scanned: Sequence[Scanned], tools: Path) -> Iterator[str]:
    program = _npm(tools) / "@microsoft" / f"sarif-multitool-{_platform()}" / "Sarif.Multitool"
    if not program.is_file():
        raise Skip(f"npm installed no {program.parent.name}")
    program.chmod(0o755)
    environment = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    for name, files in scanned:
        log = tools / "multitool.sarif"
        log.unlink(missing_ok=True)
        command = [program, "validate", files["sarif"], "--output", log, "--rule-kind", "Sarif;Ghas", "--quiet"]
        done = subprocess.run(
            [*map(str, command), "--level", "Error;Warning", "--log", "ForceOverwrite"],
            env=environment, capture_output=True, text=True, check=False, timeout=MINUTES,
        )  # fmt: skip
        if not log.is_file():
            raise Skip(f"it does not run here: {(done.stderr or done.stdout).strip()[:300]}")
        for result in (result for run in json.loads(_text(log, "utf-8-sig"))["runs"] for result in run["results"]):
            if result["ruleId"] not in ACCEPTED and result.get("kind", "fail") == "fail":
                yield f"{name}: {result['ruleId']} {result['message']}"


def _sarif_tools(scanned: Sequence[Scanned], tools: Path) -> Iterator[str]:
    python = tools / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.is_file():
        _install([sys.executable, "-m", "venv", str(tools / "venv")])
        _install([str(python), "-m", "pip", "install", "--quiet", "sarif-tools>=3"])
    for name, files in scanned:
        expected = len(json.loads(_text(files["sarif"]))["runs"][0]["results"])
        summary = tools / "summary.csv"
        outputs = (("csv", "--output", str(summary)), ("html", "--output", str(tools / "summary.html")), ("summary",))
        for arguments in outputs:
            done = subprocess.run(
                [str(python), "-m", "sarif", *arguments, str(files["sarif"])],
                capture_output=True, text=True, check=False, timeout=MINUTES,
            )  # fmt: skip
            if done.returncode:
                yield f"{name}: sarif {arguments[0]}: {done.stderr.strip()[-300:]}"
        if summary.is_file():
            with summary.open(encoding="utf-8", newline="") as stream:
                read = sum(1 for _ in csv.DictReader(stream))
            if read != expected:
                yield f"{name}: sarif-tools reads {read} of {expected} results"


def _browser(scanned: Sequence[Scanned], tools: Path) -> Iterator[str]:
    node = shutil.which("node")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if node is None or chromium is None:
        raise Skip("it needs node and chromium")
    modules = _npm(tools)
    pages = [str(files["html"]) for _, files in scanned]
    done = subprocess.run(
        [node, str(ROOT / "tools" / "check_html.mjs"), *pages],
        env={**os.environ, "CHROMIUM": chromium, "NODE_PREFIX": str(modules.parent)},
        capture_output=True, text=True, check=False, timeout=MINUTES,
    )  # fmt: skip
    yield from done.stderr.splitlines()
    if done.returncode and not done.stderr.strip():
        yield f"check_html.mjs ended with {done.returncode}"


def _npm(tools: Path) -> Path:
    """The folder of the packages, installed when they are missing."""
    modules = tools / "node_modules"
    if not (modules / "axe-core").is_dir():
        npm = shutil.which("npm")
        if npm is None:
            raise Skip("it needs npm")
        _install([npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", str(tools), *NPM])
    return modules


def _install(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=MINUTES)
    except (OSError, subprocess.SubprocessError) as error:
        raise Skip(f"cannot be installed here: {error}") from error


def _module(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise Skip(f"{error}; install the extra `test`") from error


def _platform() -> str:
    return {"win32": "win32", "darwin": "darwin"}.get(sys.platform, "linux")


def _text(path: Path, encoding: str = "utf-8") -> str:
    return path.read_text(encoding=encoding)


if __name__ == "__main__":
    sys.exit(main())
