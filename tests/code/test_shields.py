"""`try` statements that keep a failure from having an effect, and those that do not."""

from __future__ import annotations

import textwrap

import pytest

from mlops_scan.code.facts import Shield
from tests.code.sources import module_of


def shields(handler: str, before: str = "") -> list[Shield]:
    """The shields of `try: check()` with a handler, in a function."""
    body = textwrap.indent(f"{before}try:\n    check()\n    more()\n{handler}\n", "    ")
    return list(module_of(f"import sys\n\n\ndef main(x):\n{body}").shields)


@pytest.mark.parametrize(
    "handler",
    [
        "except Exception as error:\n    print(error)",
        "except Exception:\n    pass",
        "except:\n    log.error('bad')",
        "except (KeyError, Exception):\n    print(1)",
        "except Exception:\n    text = traceback.format_exc()\n    log.error(text)",
        "except ValueError:\n    raise\nexcept Exception:\n    print(1)",
        "except Exception:\n    for x in y:\n        print(x)",
    ],
)
def test_shield(handler: str) -> None:
    (found,) = shields(handler)
    assert (found.line, found.end_line, found.scope, found.unless) == (6, 7, "main", ())


@pytest.mark.parametrize(
    "handler",
    [
        "except Exception:\n    raise",
        "except Exception as error:\n    log.error(error)\n    sys.exit(1)",
        "except Exception as error:\n    raise CustomError(error) from error",
        "except Exception:\n    return None",
        "except Exception:\n    failed = True",
        "except Exception:\n    failures += 1",
        "except Exception as error:\n    errors.append(error)",
        "except Exception as error:\n    self.error = error",
        "except Exception as error:\n    with x:\n        raise",
        "except KeyError:\n    print(1)",
        "except (KeyError, OSError):\n    pass",
        "finally:\n    print(1)",
    ],
)
def test_failure_that_reaches_somebody(handler: str) -> None:
    assert shields(handler) == []


def test_handler_that_raises_under_a_condition() -> None:
    (found,) = shields(
        "except Exception as error:\n    if not dry_run:\n        raise\n    print(error)",
        "dry_run = get('mode') == 'dry'\n",
    )
    assert found.unless == ("dry_run", "dry", "get", "mode")
    assert found.handler == 9


@pytest.mark.parametrize(
    ("kind", "exits"), [("Exception", False), ("BaseException", True), ("(Exception, SystemExit)", True)]
)
def test_which_handlers_catch_an_exit(kind: str, exits: bool) -> None:
    (found,) = shields(f"except {kind}:\n    pass")
    assert found.exits is exits


def test_many_handlers_and_statements_stay_bounded() -> None:
    text = "try:\n    f()\nexcept Exception:\n" + "    print(1)\n" * 5_000
    assert module_of(text).shields == ()
