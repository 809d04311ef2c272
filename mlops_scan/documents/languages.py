"""The language of a file, told by its name."""

from __future__ import annotations

from functools import lru_cache

from mlops_scan.repository.roles import strip_template

R_CODE = frozenset({"r", "rmarkdown"})
"""The languages of files with R code."""
CODE = frozenset({"python", "notebook"}) | R_CODE
"""The languages of files with code whose facts are read."""
R_SUFFIXES = (".R", ".r", ".Rmd", ".rmd", ".qmd")
"""How the names of files with R code end in practice."""


@lru_cache(maxsize=1 << 16)
def language_of(path: str) -> str:
    """A file's language, told by its name; empty where there is no parser for it."""
    lower = strip_template(path)[0].rpartition("/")[2].lower()
    language = _SUFFIXES.get(lower[max(lower.rfind("."), 0) :]) or _NAMES.get(lower)
    if language is not None:
        return language
    if lower.startswith(("dockerfile", "containerfile")):
        return "dockerfile"
    if lower.startswith(("requirements", "constraints")) and lower.endswith((".txt", ".in", ".pip")):
        return "requirements"
    return ""


_SUFFIXES = {
    ".py": "python", ".ipynb": "notebook", ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".jsonc": "json",
    ".toml": "toml", ".sh": "shell", ".bash": "shell", ".sbatch": "shell", ".mk": "makefile",
    ".dockerfile": "dockerfile", ".tf": "hcl", ".tofu": "hcl", ".tfvars": "hcl", ".hcl": "hcl",
    ".bicep": "bicep", ".ts": "typescript", ".r": "r", ".rmd": "rmarkdown", ".qmd": "rmarkdown",
}  # fmt: skip
_NAMES = {
    "mlproject": "yaml", "makefile": "makefile", "gnumakefile": "makefile", "dvc.lock": "yaml", "pipfile": "toml",
    "poetry.lock": "toml",
    "uv.lock": "toml", "pdm.lock": "toml", "justfile": "makefile", ".justfile": "makefile", "mlmodel": "yaml",
    "procfile": "yaml",
}  # fmt: skip
