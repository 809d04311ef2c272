"""What a test asserts: anything at all, more than that something is there, more than the form of an answer."""

from __future__ import annotations

from itertools import accumulate, pairwise

from mlops_scan.code.facts import Call, Function, Module
from mlops_scan.code.guards import KEY
from mlops_scan.code.rnames import ROOT
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import regex
from mlops_scan.words import Role

_FAILS = regex(
    r"(unittest\.(case\.)?TestCase|\?|numpy\.testing|pandas\.testing|torch\.testing|tensorflow\.test\.TestCase)\.fail\w*"
)
_FAILING = "pytest.fail"
_ERRORS = ("raises", "assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex", "warns", "assertLogs")
_KINDS = frozenset({"assertIsInstance", "assertIsNotNone", "assert_is_instance"})
_KEYS = frozenset({"assertIn", "assertNotIn", "assert_in"})
_FORMS = frozenset({"shape", "ndim", "dtype", "columns", "status_code"})
_R_ERRORS = frozenset({"expect_error", "expect_warning", "expect_message", "expect_no_error", "expect_condition"})
_HELPER_HOPS = 3


def asserts(context: Context, module: Module, function: Function, *, errors: bool = True, forms: bool = True) -> bool:
    """Whether a test, or a helper of the tests that it calls, checks anything; with `errors` also that one comes.

    Without `errors` it is no check either that something is there, or of which type it is; without `forms` neither
    which shape, length or keys it has.
    """
    if function.qualname in _checking(context, module.path, errors=errors, forms=forms):
        return True
    return any(
        scope in _checking(context, path, errors=errors, forms=forms)
        for path, scope in context.index.reach(((module.path, function.qualname),), _HELPER_HOPS)
        if path in context.index.modules and context.role(path) is Role.TEST
    )


@kept
def _checking(context: Context, path: str, *, errors: bool, forms: bool) -> frozenset[str]:
    """The functions of a file that check something themselves."""
    module = context.index.modules[path]
    found: set[str] = set()
    for guard in module.guards:
        asked = (errors or not guard.vague) and (forms or not guard.formal)
        if guard.stops == "assert" and not guard.trivial and asked:
            around = list(accumulate(guard.scope.split("."), "{}.{}".format))
            if errors or not any(
                outer in module.functions and fake in module.classes for outer, fake in pairwise(around)
            ):
                found.update(around)  # else what a stand-in checks that a test defines
    checks: dict[str, bool] = {}
    for call in module.calls:
        if call.scope not in found:
            if call.name not in checks:
                checks[call.name] = _is_check(context, module, call.name, errors)
            if checks[call.name] and (forms or not _of_form(call)):
                found.add(call.scope)
    return frozenset(found.intersection(module.functions))


def _of_form(call: Call) -> bool:
    """Whether an assertion by a call asks only for a form: `assertEqual(y.shape, (2, 1))`."""
    last = call.name.rpartition(".")[2]
    if last in _KEYS:
        return KEY.fullmatch(call.args[0] or " " if call.args else " ") is not None
    return any(ref.rpartition(".")[2] in _FORMS for ref in call.refs)


def _is_check(context: Context, module: Module, name: str, errors: bool) -> bool:
    """Whether a call by that name asserts; with `errors` also that an error is raised."""
    target = context.index.resolve(module.path, name)
    last = target.name.rpartition(".")[2]
    if last.startswith("expect_") and target.name.startswith(f"{ROOT}."):
        return errors or last not in _R_ERRORS
    if last in _KINDS and not errors:
        return False
    if last in _ERRORS:
        return errors and ("assert" in last or target.name == "pytest.raises")
    return (
        "assert" in last
        or target.name == _FAILING
        or (last.startswith("check_") and not target.first_party)
        or (last.startswith("fail") and _FAILS.fullmatch(target.name) is not None)
    )
