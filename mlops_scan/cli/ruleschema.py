"""The JSON Schema of users' own rule files, with which editors complete and check them while they are written.

The reader (`mlops_scan.ruleentries`) is stricter: it knows whether patterns match in linear time and whether what is
named exists. A schema cannot name what other files of the user add, so known ids are offered and others accepted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from mlops_scan.rulebook import FINDS, RuleBook, Subject
from mlops_scan.words import Confidence, Grade, Role, Severity

Schema = dict[str, Any]

_EFFORTS = ("low", "medium", "high")
_OBSERVABILITY = ("full", "part", "ext")
_STARTS = ("ci", "schedule", "event", "pipeline", "service")
_OWN_ID = r"^(?!MLS\d)[A-Z][A-Z0-9]{1,9}\d{3}$"
_MIN = [grade.value for grade in Grade if grade.strength]


def schema(book: RuleBook) -> Schema:
    """The schema; `book` gives the ids of practices, activities and findings that an editor offers."""
    activities = {name for tool in book.tools.values() for item in tool.signatures for name in item.does}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:mlops-scan:rules:1",
        "title": "mlops-scan rules of one's own: tools, practices, findings and maturity models, or one maturity model",
        "type": "object",
        "properties": {
            "family": _text("What the tools of this file have in common: a heading of lists."),
            "tools": _list("tool", "Tools and how they show themselves in files."),
            "practices": _list("practice", "Habits that rows of maturity models can ask for."),
            "findings": _list("finding", "What signals report with `finds`."),
            "models": _list("model", "Maturity models."),
            **_model()["properties"],
        },
        "additionalProperties": False,
        "anyOf": [{"required": [name]} for name in ("tools", "practices", "findings", "models", "levels")],
        "$defs": {
            "texts": {"anyOf": [_scalar(), {"type": "array", "items": _scalar()}]},
            "practice-ids": _known(book.practices),
            "activities": _known(name for name in activities if not name.startswith(FINDS)),
            "finding-ids": _known(book.findings),
            "keywords": {"type": "object", "additionalProperties": {"$ref": "#/$defs/constants"}},
            "constants": {"anyOf": [_constant(), {"type": "array", "items": _constant()}]},
            "tool": _tool(),
            "signal": _signal(),
            "sample": _sample(),
            "practice": _practice(),
            "finding": _finding(),
            "model": _model(),
            "level": _level(),
            "row": _row(),
            "section": _section(),
            "test": _test(),
        },
    }


def schema_text(book: RuleBook) -> str:
    """The schema as the text of a file."""
    return json.dumps(schema(book), indent=2) + "\n"


def _tool() -> Schema:
    return _entry(
        "A tool, library or platform.",
        {
            "id": _text("Unique, in kebab-case."),
            "name": _text("As its makers write it."),
            "url": _text("Its home page."),
            "imports": _texts("Import roots that belong to it; told by the names of its signals where missing."),
            "distributions": _texts("Its names in dependency files."),
            "hints": _ids("practice", "Practices that earn `trace` where it is only declared or imported."),
            "engine": _ids("practice", "Practices that it performs itself for every pipeline that it runs."),
            "general": _flag("Programs without a model use it as well: less code around it is parsed without another."),
            "clients": {
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/texts"},
                "description": "Import roots of clients for many services, each with words of which a file that uses "
                "this one has one: `boto3: [sagemaker]`.",
            },
            "companions": {
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/texts"},
                "description": "Distributions of it that other libraries use by themselves, each with the imports of "
                "these: `accelerate: [transformers]`. Beside one of them it needs no import.",
            },
            "wraps": {
                "type": "array",
                "items": _entry(
                    "Actions of CI that run a command which their inputs say.",
                    {
                        "uses": _texts("OWNER/NAME of the actions."),
                        "command": _texts("What they run, `{name}` for an input; of several the first with its files."),
                        "settings": _text("A JSON or YAML file of the repository with more inputs."),
                    },
                    ("uses", "command"),
                ),
                "description": "Actions that run a command of this tool, which is then followed like one of a script.",
            },
            "signals": _list("signal", "How it shows that it is used."),
            "samples": _list("sample", "Files that must match and files that must not: at least one of each."),
        },
        ("id",),
    )


def _signal() -> Schema:
    conditions = {
        "calls": _texts("Resolved names of Python calls; `*` is one segment, `**` any number, `{a,b}` alternatives."),
        "all_calls": _texts("The file has a call for every one of the patterns."),
        "decorators": _texts("Resolved names of decorators."),
        "bases": _texts("Resolved names of base classes."),
        "commands": _texts("The first words of a command line; `*` is one word, `a|b` alternatives in a word."),
        "keys": {
            "type": "object",
            "additionalProperties": _scalar(),
            "description": "Key paths of a YAML, JSON or TOML document, each with `true` or a glob of its value.",
        },
        "files": _texts("Path patterns in .gitignore syntax; beside `keys` they limit these."),
    }
    entry = _entry(
        "One way in which a tool shows that it is used: one condition, and what it means.",
        {
            **conditions,
            "serves": _ids("practice", "The practices that such a use is evidence of."),
            "does": _ids("activity", "What such a use does: train, evaluate, deploy-model …"),
            "finds": _ids("finding", "The findings that each use is reported as."),
            "with": _keywords("Keyword arguments that the call must have: `true`, or the constants that count."),
            "without": _keywords("Keyword arguments with which the call does not count."),
            "imports": _texts("The file must import one of these roots; needed where a pattern starts with `?`."),
            "min_args": {"type": "integer", "minimum": 0, "description": "Arguments that the call must have at least."},
            "grade": {"enum": ["implemented", "trace"], "description": "The most that it can earn."},
            "confidence": {"enum": [item.value for item in Confidence], "description": "How sure such a use is."},
            "note": _text("Why the grade is capped, or what a finding says, in one clause."),
        },
        (),
    )
    meanings = ("serves", "does", "finds")
    return {**entry, "allOf": [_one_of(conditions), _one_of(meanings)]}


def _sample() -> Schema:
    expected = "Practices, `does:ACTIVITY` and `finds:ID` that the tool must claim here; an empty list: nothing."
    return _entry(
        "A file and what the tool must claim on it.",
        {"path": _text("Its name decides the parser."), "text": _text("Its content."), "expect": _texts(expected)},
        ("path", "text", "expect"),
    )


def _practice() -> Schema:
    return _entry(
        "An observable habit.",
        {
            "id": {"type": "string", "pattern": "^[^/]+/[^/]+$", "description": "family/name"},
            "title": _text("The state that is asked for, in a few words."),
            "minimum": {"enum": _MIN, "description": "The weakest grade that meets it."},
            "observability": {"enum": list(_OBSERVABILITY), "description": "How much of it files can show."},
            "what": _text("What it asks for, in one sentence."),
            "counts": _texts("What counts as evidence."),
            "does_not_count": _texts("What only looks like it."),
            "starts": {
                "type": "array",
                "items": {"enum": list(_STARTS)},
                "description": "Kinds of automation that make an implementation `wired`.",
            },
            "blocking": _flag("Whether a failure must stop something."),
            "attestable": _flag("Whether people can attest it."),
            "at_home": {
                "type": "array",
                "items": {"enum": [role.value for role in Role]},
                "description": "Roles of files in which its evidence is not lowered.",
            },
            "subject": {
                "enum": [subject.value for subject in Subject],
                "description": "What it is done to: `model` counts only where something here makes or runs one, of"
                " `training` the evidence nearest to the code that fits a model is shown first.",
            },
            "effort": {"enum": list(_EFFORTS), "description": "What it takes to get there."},
            "gap": {"type": "string", "pattern": _OWN_ID, "description": "The id of the finding of its absence."},
            "remedy": _text("The next step, in one sentence."),
            "snippets": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Examples of how it looks, by tool.",
            },
            "references": _texts("Where it is asked for or described."),
        },
        ("id", "title", "minimum", "what", "gap", "remedy"),
    )


def _finding() -> Schema:
    return _entry(
        "Something broken, without effect or not allowed.",
        {
            "id": {"type": "string", "pattern": _OWN_ID, "description": "A prefix of your own and three digits."},
            "title": _text("What is wrong, in a few words."),
            "severity": {"enum": [item.value for item in Severity], "description": "How bad it is."},
            "why": _text("Why it matters."),
            "fix": _text("How to mend it."),
            "example": _text("How it looks."),
            "tags": _texts("Words to select it by."),
            "contradicts": _ids("practice", "Practices that nobody can attest where this is found."),
        },
        ("id", "title", "severity", "why", "fix"),
    )


def _model() -> Schema:
    return _entry(
        "A maturity model: levels of rows, or a score of tests.",
        {
            "id": _text("For `--model`."),
            "name": _text("For people."),
            "source": _text("Where it is written down."),
            "mapping": _text("How its numbers are to be read beside those of other models, in one sentence."),
            "applies": {
                "type": "object",
                "properties": {"families": _texts("Families of tools of which one must be used.")},
                "additionalProperties": False,
                "description": "Where the model applies; everywhere if missing.",
            },
            "levels": _list("level", "Lowest first; the lowest has no rows."),
            "sections": _list("section", "Those of a score; the least of their sums is the score."),
            "recorded_by": _ids("practice", "Practices of which one makes work by hand a recorded one."),
        },
        ("id", "name", "levels"),
    )


def _level() -> Schema:
    return _entry(
        "One level. It holds when all its rows and those of the lower levels are met.",
        {
            "number": {"type": "integer", "description": "Ascending."},
            "name": _text("What this level is called."),
            "rows": _list("row", "What it asks for."),
            "optional": _ids("practice", "Practices that are recommended here and not asked for."),
            "above": {"type": "number", "description": "Of a score: the level begins above this one."},
        },
        ("number", "name"),
    )


def _row() -> Schema:
    return _entry(
        "Some practices of which enough must be met.",
        {
            "title": _text("What the row asks for."),
            "need": {"type": "integer", "minimum": 1, "description": "How many must be met [default: 1]."},
            "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "description": "Instead of `need`."},
            "weight": {"type": "number", "exclusiveMinimum": 0, "description": "Its part of the percentage."},
            "practices": _ids("practice", "Those that count and are recommended."),
            "minimum": {"enum": _MIN, "description": "Takes the place of the practices' own."},
            "also": {
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/practice-ids"}}],
                "description": "Those that count where they are met, without being recommended; a list counts as one.",
            },
        },
        ("title", "practices"),
    )


def _section() -> Schema:
    tests = _list("test", "Automated 1 point, recorded by hand half a point.")
    return _entry("One section of a score.", {"name": _text("Its heading."), "tests": tests}, ("name", "tests"))


def _test() -> Schema:
    return _entry(
        "One test of a score.",
        {
            "id": _text("Unique in the model."),
            "title": _text("What it asks for."),
            "practices": _ids("practice", "What shows it; none: files cannot."),
            "partial": _flag("Whether the practices cover only a part: half a point at most."),
        },
        ("id", "title"),
    )


def _entry(description: str, properties: Schema, required: Iterable[str]) -> Schema:
    needed = list(required)
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        **({"required": needed} if needed else {}),
        "additionalProperties": False,
    }


def _one_of(names: Iterable[str]) -> Schema:
    return {"anyOf": [{"required": [name]} for name in names]}


def _known(ids: Iterable[str]) -> Schema:
    one = {"anyOf": [{"enum": sorted(ids)}, {"type": "string"}]}
    return {"anyOf": [one, {"type": "array", "items": one}]}


def _ids(what: str, description: str) -> Schema:
    name = {"practice": "practice-ids", "activity": "activities", "finding": "finding-ids"}[what]
    return {"$ref": f"#/$defs/{name}", "description": description}


def _list(name: str, description: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}, "description": description}


def _texts(description: str) -> Schema:
    return {"$ref": "#/$defs/texts", "description": description}


def _keywords(description: str) -> Schema:
    return {"$ref": "#/$defs/keywords", "description": description}


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _flag(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def _scalar() -> Schema:
    return {"type": ["string", "number", "boolean"]}


def _constant() -> Schema:
    return {"type": ["string", "number", "boolean", "null"]}
