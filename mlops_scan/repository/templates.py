"""Paths of project templates (cookiecutter, copier, Go templates): what they are once the template is rendered."""

from __future__ import annotations

from functools import lru_cache

TEMPLATE_SUFFIXES = (".tmpl", ".tpl", ".jinja", ".jinja2", ".j2", ".template")


@lru_cache(maxsize=1 << 16)
def strip_template(path: str) -> tuple[str, bool]:
    """The path as it will be once the template is rendered, and whether it is a template's file at all.

    The part up to the first folder whose name holds a placeholder (`{{ cookiecutter.name }}`) is the template's own and
    is dropped, that folder becomes the root. Of a name under a condition (`{% if docs %}docs{% endif %}`) what stands
    outside the tags remains; a folder that begins with a dot is then a root's. A template suffix (`.tmpl`, `.jinja`)
    goes too.
    """
    templated = False
    if "{" in path:
        path, templated = _rendered(path)
    lower = path.lower()
    for suffix in TEMPLATE_SUFFIXES:
        if lower.endswith(suffix) and "/templates/" not in f"/{path}":
            return path[: -len(suffix)], True
    return path, templated


def before_placeholder(path: str) -> str:
    """The part of a path that belongs to the template's own repository; empty where there is none."""
    starts = [start for start in (path.find("{{"), path.find("{%")) if start >= 0]
    return path[: min(starts)] if starts else ""


def _rendered(path: str) -> tuple[str, bool]:
    *folders, name = path.split("/")
    plain, templated = _without_tags(name)
    templated = templated or _is_placeholder(name)
    kept: list[str] = []
    rooted = False
    for folder in folders:
        shown, tagged = _without_tags(folder)
        if _is_placeholder(folder) and not rooted:
            kept, templated, rooted = [], True, True
        elif tagged:
            templated = True
            kept = ([] if shown.startswith(".") else kept) + ([shown] if shown else [])
        else:
            kept.append(folder)
    return "/".join([*kept, plain]), templated


def _is_placeholder(text: str) -> bool:
    start = text.find("{{")
    return start >= 0 and "}}" in text[start:]


def _without_tags(text: str) -> tuple[str, bool]:
    """The text without its `{% … %}`, and whether it had one."""
    parts = []
    position = 0
    while (start := text.find("{%", position)) >= 0 and (end := text.find("%}", start + 2)) >= 0:
        parts.append(text[position:start])
        position = end + 2
    return "".join([*parts, text[position:]]), bool(parts)
