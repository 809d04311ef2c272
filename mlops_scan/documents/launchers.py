"""Launchers in front of a command, such as `sudo`, `poetry run` or `python -m`, taken away."""

from __future__ import annotations

import re

from mlops_scan.regex import has_any, regex

_Words = tuple[str, ...]

_ASSIGNMENT = regex(r"[A-Za-z_]\w*=", words=("=",))
_PYTHON = regex(r"(?:python|pypy)[0-9.]*w?(?:\.exe)?\Z|py(?:\.exe)?\Z", re.IGNORECASE, ("py",))
_PLAIN_PYTHON = frozenset({"python", "python3"})
_PYTHON_VARIABLE = regex(
    r"\$[({]?(?:PY|(?:\w+_)?PYTHON3?(?:_(?:BIN|CMD|COMMAND|EXE|EXECUTABLE|INTERPRETER))?)(?::?-[\w./-]+)?[)}]?\Z",
    re.IGNORECASE,
    ("$",),
)
_ENVIRONMENT = regex(r"(?:.*/)?\.?v?env[^/]*/(?:bin|Scripts)/", words=("env",))
_SOMEWHERE = regex(r"\$[({]?\w+[)}]?/(?:[\w.-]+/)*(?:bin|Scripts)/[^/]+\Z", words=("$",))  # `$VENV/bin/pytest`
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash"})
_SHELL_VALUES = frozenset({"-o", "+o", "-O", "+O", "--rcfile", "--init-file"})
_HATCH_ENV = regex(r"[+\w.-]+:(?=\S)")
_VERSION = regex(r"(?<=[\w\]])@[\w.]+\Z")

_MODULES = frozenset({"pytest", "unittest", "tox", "nox", "pip", "mlflow", "dvc", "coverage", "papermill", "jupyter"})
_MODULES |= {"nbconvert", "kedro", "great_expectations", "build", "twine", "spacy", "garak", "sphinx", "mkdocs"}
_MODULES |= {"streamlit", "uvicorn", "gunicorn", "hypercorn", "flask", "behave", "robot", "nose", "nose2", "green"}
_MODULES |= {"pip_audit", "ruff", "black", "flake8", "mypy", "pylint", "isort", "pyright", "bandit", "pre_commit"}
_MODULES |= {"yamllint", "model_signing", "invoke", "luigi", "snakemake"}
_INSTALLED = _MODULES - {"build", "green", "robot"}  # which may be scripts of a repository's own `bin` as well
_PYTHON_VALUES = frozenset({"-W", "-X", "--check-hash-based-pycs"})

_UV = (
    "--with --with-editable --with-requirements --extra --no-extra --group --no-group --only-group --package --python "
    "-p --env-file --project --directory --index --default-index --index-url -i --extra-index-url --find-links -f "
    "--config-file --cache-dir --refresh-package --upgrade-package -P --reinstall-package --index-strategy "
    "--keyring-provider --resolution --prerelease --exclude-newer --link-mode --color --allow-insecure-host "
    "--python-platform --from -w --no-binary-package --no-build-package --constraints -c --overrides"
)
_CONDA = "-n --name -p --prefix --cwd -r --root-prefix"
_PIXI = "-e --environment --manifest-path -m"

# the words that launch -> the options among theirs that take a value; options before a subcommand are tried too
_LAUNCHERS: dict[_Words, str] = {
    ("sudo",): "-u --user -g --group -h --host -p --prompt -C -D --chdir -R -T -U",
    ("doas",): "-u -C",
    ("time",): "-f --format -o --output",
    ("nice",): "-n --adjustment",
    ("ionice",): "-c -n",
    ("nohup",): "",
    ("setsid",): "",
    ("exec",): "-a",
    ("builtin",): "",
    ("command",): "",
    ("stdbuf",): "-i -o -e",
    ("env",): "-u --unset -C --chdir -S",
    ("xvfb-run",): "-n --server-num -s --server-args -e --error-file -f --auth-file -p --xauth-protocol -w --wait",
    ("sshpass",): "-p -f -d -P",
    ("timeout",): "-k --kill-after -s --signal",
    ("poetry", "run"): "-C --directory -P --project",
    ("uv", "run"): _UV,
    ("uv", "tool", "run"): _UV,
    ("uvx",): _UV,
    ("pipx", "run"): "--spec --python --index-url -i --pip-args --with",
    ("poetry", "poe"): "-C --directory -P --project",  # https://poethepoet.natn.io/poetry_plugin.html
    ("pipenv", "run"): "",
    ("pdm", "run"): "-p --project -g",
    ("hatch", "run"): "-e --env -p --project",
    ("hatch", "env", "run"): "-e --env -i -x",
    ("rye", "run"): "--pyproject",
    ("pixi", "run"): _PIXI,
    ("conda", "run"): _CONDA,
    ("mamba", "run"): _CONDA,
    ("micromamba", "run"): _CONDA,
    ("ddtrace-run",): "",
    ("opentelemetry-instrument",): "--traces_exporter --metrics_exporter --logs_exporter --service_name",
    ("dotenv", "run"): "-f --file",
    ("doppler", "run"): "-p --project -c --config",
    ("op", "run"): "--env-file",
    ("mise", "exec"): "-C --cd",
    ("mise", "x"): "-C --cd",
    ("tini",): "-p -e",
    ("dumb-init",): "",
}
_FIRST = frozenset(names[0] for names in _LAUNCHERS)
_TAKE_SCRIPTS = frozenset({"uv", "pdm", "pipenv", "rye"})  # `uv run a.py` runs a.py with python


def unwrap(words: _Words) -> _Words:
    """The command that is really run, without what launches it.

    `uv run --frozen python3.11 -u -m pytest -x` is `pytest -x`; `/usr/bin/python a.py` is `python a.py`; `bash -lc "x"`
    is `("sh", "-c", "x")`, see `inner`. Returns the words unchanged (first one normalised) where nothing launches.
    """
    for _ in range(20):
        after = _step(words)
        if after == words:
            break
        words = after
    return words


def inner(words: _Words) -> str | None:
    """The text that `sh -c` (in any spelling that `unwrap` knows) is given, or None."""
    words = unwrap(words)
    return words[2] if len(words) >= 3 and words[:2] == ("sh", "-c") else None


def _step(words: _Words) -> _Words:
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    if not words:
        return ()
    words = (_program(words[0]), *words[1:])
    if words[0] == "python":
        return _python(words)
    if words[0] in _SHELLS:
        return _shell(words)
    if words[0] == "eval":
        return _evaluated(words)
    if words[0] == "coverage":
        return _coverage(words)
    if words[0] == "command" and len(words) > 1 and words[1] in ("-v", "-V"):
        return words
    if words[0] not in _FIRST:
        return words
    for length in (3, 2, 1):
        rest = _launched(words, length)
        if rest is not None:
            return rest
    return words


def _program(word: str) -> str:
    """A program's plain name: interpreters, and programs of a system or virtual environment, lose their folder."""
    if word in _PLAIN_PYTHON or _PYTHON_VARIABLE.match(word):
        return "python"
    name = word.replace("\\", "/").rpartition("/")[2] if "/" in word or word.endswith(".exe") else word
    system = word.startswith("/") and "/bin/" in word and not name.endswith((".py", ".sh"))
    known = name in _INSTALLED or _PYTHON.match(name)  # whatever folder a variable names
    if name != word and (
        system
        or _ENVIRONMENT.match(word.replace("\\", "/"))
        or (known and word[:1] == "$" and _SOMEWHERE.match(word.replace("\\", "/")))
    ):
        word = name
    return "python" if _PYTHON.match(word) else word


def _launched(words: _Words, length: int) -> _Words | None:
    """What follows a launcher of `length` words and its options, or None when there is none."""
    names, position = [words[0]], 1
    while length > 1 and len(names) < length and position < len(words):
        word = words[position]
        if word.startswith("-"):  # an option before the subcommand: `poetry -C app run`
            takes_value = "=" not in word and word in ("-C", "-p", "-P", "-e", "--directory", "--project", "--env")
            position += 2 if takes_value else 1
        else:
            names.append(word)
            position += 1
    options = _LAUNCHERS.get(tuple(names))
    if options is None or len(names) != length:
        return None
    start = position
    module = False
    position = _after_options(words, position, frozenset(options.split()))
    if names[0] == "uv":
        module = any(word in ("-m", "--module") for word in words[start:position])
    if names[0] == "timeout":
        position += 1
    rest = words[position:]
    if not rest:
        return words
    if module:
        return ("python", "-m", *rest)
    if names[1:] == ["poe"]:
        rest = ("poe", *rest)
    if names[0] == "hatch":
        environment = _HATCH_ENV.match(rest[0])
        rest = (rest[0][environment.end() :] if environment else rest[0], *rest[1:])
    if names[0] in ("uvx", "pipx") or names[:2] == ["uv", "tool"]:
        rest = (_VERSION.sub("", rest[0]), *rest[1:])
    if names[0] in _TAKE_SCRIPTS and rest[0].endswith(".py"):
        rest = ("python", *rest)
    return rest


def _after_options(words: _Words, position: int, with_value: frozenset[str]) -> int:
    """The position behind options, their values, and assignments (`env X=1`, `sudo X=1`)."""
    while position < len(words):
        word = words[position]
        if word == "--":
            return position + 1
        if word in with_value:
            position += 2
        elif (word.startswith("-") and len(word) > 1) or _ASSIGNMENT.match(word):
            position += 1
        else:
            break
    return position


def explains_itself(words: _Words) -> bool:
    """Whether a command only prints its help or its version, whatever it would do else."""
    own = words[1 : words.index("--")] if "--" in words else words[1:]
    return "--help" in own or own[-1:] in (("-h",), ("--version",))


def _python(words: _Words) -> _Words:
    """Interpreter options dropped; `python -m X` is `X` for runners, `-mX` is `-m X`."""
    position = 1
    while position < len(words):
        word = words[position]
        if word.startswith("-m") and len(word) > 2:
            return _python((*words[:position], "-m", word[2:], *words[position + 1 :]))
        if word in ("-m", "-") or not word.startswith("-") or re.match(r"-[a-zA-Z]?c", word):
            break
        if word in ("--version", "--help", "-V", "-VV", "-h"):
            return words
        position += 2 if word in _PYTHON_VALUES else 1
    rest = words[position:]
    if len(rest) >= 2 and rest[0] == "-m" and rest[1].partition(".")[0] in _MODULES:
        return (rest[1] if rest[1].count(".") == 0 else rest[1].partition(".")[0], *rest[2:])
    return ("python", *rest)


def _shell(words: _Words) -> _Words:
    """`bash -euo pipefail -c "x"` is `sh -c "x"`; scripts stay."""
    for position in range(1, len(words)):
        word = words[position]
        before = words[position - 1]
        if before in _SHELL_VALUES or (before.startswith("-") and re.match(r"-[a-z]*o\Z", before)):
            continue
        if word == "-c" or (word.startswith("-") and re.match(r"-[abd-zA-Z]*c[a-zA-Z]*\Z", word)):
            after = position + 1
            while after < len(words) and (words[after].startswith("-") or words[after - 1].endswith("o")) and after < 8:
                after += 1
            return ("sh", "-c", *words[after:]) if after < len(words) else words
        if not word.startswith(("-", "+")):
            break
    return words


def _evaluated(words: _Words) -> _Words:
    """`eval "x y" z` runs the text `x y z` in a shell; one that is only known at run time stays."""
    text = " ".join(words[2:] if words[1:2] == ("--",) else words[1:])
    known = text and not text.startswith("$") and not has_any(text, ("$(", "`"))
    return ("sh", "-c", text) if known else words


def _coverage(words: _Words) -> _Words:
    """`coverage run -m pytest` is `pytest`; `coverage run a.py` is `python a.py`; other subcommands stay."""
    if len(words) < 3 or words[1] != "run":
        return words
    values = frozenset({"--source", "--rcfile", "--omit", "--include", "--concurrency", "--context", "--data-file"})
    position = 2
    module = False
    while position < len(words) and words[position].startswith("-"):
        module = module or words[position] in ("-m", "--module")
        position += 2 if words[position] in values else 1
    rest = words[position:]
    if not rest:
        return words
    return ("python", "-m", *rest) if module else ("python", *rest)
