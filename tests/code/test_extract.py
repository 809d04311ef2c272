from __future__ import annotations

import ast
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.code.build import Source, build
from mlops_scan.code.extract import extract
from mlops_scan.code.facts import MAIN, Class, Function, Import
from mlops_scan.documents.node import DocumentError
from mlops_scan.documents.python import parse
from tests.code.sources import calls, module_of
from tests.documents.hostile import mutations

# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import xgboost as xgb\nxgb.train()", "xgboost.train"),
        ("import os.path\nos.path.join()", "os.path.join"),
        ("import a.b as c\nc.d()", "a.b.d"),
        ("from sklearn import svm\nsvm.SVC()", "sklearn.svm.SVC"),
        ("from sklearn.svm import SVC as S\nS()", "sklearn.svm.SVC"),
        ("from a import *\nf()", "*.f"),
        ("import a\nb = a.b\nb.c()", "a.b.c"),
        ("import a\nb = a\nb.c()", "a.c"),
        ("def f(): pass\nf()", "@.f"),
        ("f()\ndef f(): pass", "@.f"),
        ("class C: pass\nC()", "@.C"),
        ("if x:\n    def f(): pass\nelse:\n    def g(): pass\ng()", "@.g"),
        ("with x:\n    def f(): pass\nf()", "@.f"),
        ("len()", "len"),
        ("unknown()", "*.unknown"),
        ("x[0].fit()", "?.fit"),
        ("x['a'].b.fit()", "?.b.fit"),
        ("(a + b).fit()", "?.fit"),
        ("'a'.join()", "?.join"),
        ("x[0]()", "*.x"),
        ("(lambda: 1)()", "?"),
        ("import a\na.B[int]()", "a.B"),
        ("import a\na.B.list(filter=n)[-1].c()", "a.B.c"),
        ("import a\nx = a.B.list()[0]\nx.c()", "a.B.c"),
        ("import a\nif y := z:\n    many = a.B.list()\nx = many[-1]\nx.c()", "a.B.c"),
        ("import a\na.B.list()[1:].c()", "?.c"),
        ("import a\na.list()[0].c()", "?.c"),
        ("import a\na.B.search()[0].c()", "?.c"),
        ("import a\na.B().names[0].c()", "?.c"),
        ("many = list(z)\nmany[0].c()", "?.c"),
        ("import a\n(await_ := a.b)()", "a.b"),
        ("import a\nif (m := a.B()): m.c()", "a.B.c"),
        ("import a\nx, y = a.b()\nx.c()", "?.c"),
        ("import a\nx = y = a.B()\ny.c()", "a.B.c"),
        ("import a\nx: a.B = other()\nx.c()", "a.B.c"),
        ("import a\nx: a.B = a.C()\nx.c()", "a.C.c"),
        ("import a\nx: a.B\nx.c()", "a.B.c"),
        ("import a\nx = a.B()\nx = None\nx.c()", "?.c"),
        ("import a\nx = a.B()\nif z:\n    x = None\nx.c()", "a.B.c"),
        ("import a\nif z:\n    x = a.B()\nelse:\n    x = None\nx.c()", "a.B.c"),
        ("import a\nif z:\n    x = None\nelif y:\n    x = a.B()\nelse:\n    x = 1\nx.c()", "a.B.c"),
        ("try:\n    import a\nexcept ImportError:\n    a = None\na.c()", "a.c"),
        ("try:\n    from a import f\nexcept ImportError:\n    def f(): pass\nf()", "a.f"),
        ("try:\n    import a as x\nexcept ImportError:\n    import b as x\nx.c()", "a.c"),
        ("import a\nwith a.start() as run:\n    run.log()", "a.start.log"),
        ("import a\nasync def f():\n    async with a.start() as run:\n        run.log()", "a.start.log"),
        ("import a\nfor m in [a.B(), a.C()]:\n    m.fit()", "a.B.fit"),
        ("import a\nfor n, m in [('b', a.B()), ('c', a.C())]:\n    m.fit()", "a.B.fit"),
        ("import a\nfor n, m in things:\n    m.fit()", "?.fit"),
        ("import a\nm = a.B()\nfor m in things:\n    m.fit()", "?.fit"),
        ("import a\n[m.fit() for m in [a.B()]]", "a.B.fit"),
        ("import a\nm = a.B()\n[m for m in things]\nm.fit()", "a.B.fit"),
        ("from a import *\n[m.fit() for m in things]", "?.fit"),
        ("import a\nf = lambda a: 1\na.c()", "a.c"),
        ("import a\nf = lambda a: a.c()", "?.c"),
        ("import a\na.B().c(1).d()", "a.B.c.d"),
        ("import a\nx = await_(a.B())\nx.c()", "?.c"),
        ("import a\nasync def f():\n    x = await a.b()\n    x.c()", "a.b.c"),
        ("import a\na.b = 3\na.c()", "a.c"),
        ("import a\nfrom hydra.utils import instantiate\nx: a.B = instantiate(cfg)\nx.c()", "a.B.c"),
        ("from hydra.utils import instantiate\nx = instantiate(cfg)\nx.c()", "hydra.utils.instantiate.c"),
        ("import a, d\nx: a.B = d.e(cfg)\nx.c()", "d.e.c"),
        ("import a\ndef f(a): a.c()", "?.c"),
        ("import a\ndef f(*a): a.c()", "?.c"),
        ("import a\ndef f(**a): a.c()", "?.c"),
        ("import a\ndef f(x: a.B): x.c()", "a.B.c"),
        ("import a\ndef f(x: 'a.B'): x.c()", "a.B.c"),
        ("import a\ndef f(x: 'not a name'): x.c()", "?.c"),
        ("import a\ndef f(x: a.B | None = None): x.c()", "a.B.c"),
        ("import a\ndef f(x: None | a.B): x.c()", "a.B.c"),
        ("import a\nfrom typing import Optional\ndef f(*, x: Optional[a.B]): x.c()", "a.B.c"),
        ("import a\nfrom typing import Annotated\ndef f(x: Annotated[a.B, 1], /): x.c()", "a.B.c"),
        ("import a\ndef f(x: list[a.B]): x.append()", "?.append"),
        ("from typing import Any\ndef f(x: Any): x.fit()", "?.fit"),
        ("import typing as t\ndef f(x: t.Optional[t.Any]): x.fit()", "?.fit"),
        ("from typing import Any\ndef f(x: Any | None): x.fit()", "?.fit"),
        ("def f(x: int): x.bit_length()", "?.bit_length"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import B\ndef f(x: B): x.c()", "a.B.c"),
        ("import a\ndef f():\n    import b as a\n    a.c()", "b.c"),
        ("import a\ndef f():\n    import b as a\na.c()", "a.c"),
        ("import a\ndef f():\n    def g(): pass\n    g()", "@.f.g"),
    ],
)
def test_names_of_calls(text: str, name: str) -> None:
    found = module_of(text).calls
    last = max(call.line for call in found)
    assert name in [call.name for call in found if call.line == last or "def " in text]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("def __init__(self): self.m = a.B()\n    def f(self): self.m.c()", "a.B.c"),
        ("def f(self): self.m.c()\n    def __init__(self): self.m = a.B()", "a.B.c"),
        ("def __init__(self, m: a.B): self.m = m\n    def f(self): self.m.c()", "a.B.c"),
        ("def __init__(self):\n        m = a.B()\n        self.m = m\n    def f(self): self.m.c()", "a.B.c"),
        ("def __init__(self): self.m: a.B = make()\n    def f(self): self.m.c()", "a.B.c"),
        ("def __init__(self): self.m = None\n    def g(self): self.m = a.B()\n    def f(self): self.m.c()", "a.B.c"),
        ("def __init__(self):\n        import b\n        self.m = b\n    def f(self): self.m.c()", "b.c"),
        (
            "def __init__(self):\n        from b import d as e\n        self.m = e()\n    def f(self): self.m.c()",
            "b.d.c",
        ),
        ("m: a.B\n    def f(self): self.m.c()", "a.B.c"),
        ("m = a.B()\n    def f(self): self.m.c()", "a.B.c"),
        ("m = a.B()\n    @classmethod\n    def f(cls): cls.m.c()", "a.B.c"),
        ("m = a.B()\n    def f(self): m.c()", "*.m.c"),
        ("def f(self): self.g()", "@.C.g"),
        ("def f(self):\n        def inner(): self.g()\n        inner()", "@.C.g"),
        ("def f(self): self.unknown.c()", "@.C.unknown.c"),
        ("def f(self): [self.g() for x in y]", "@.C.g"),
        ("def f(self): super().g()", "a.Base.g"),
        ("def f(self): super(C, self).g()", "a.Base.g"),
        ("def __init__(self): super().__init__()", "super.__init__"),
    ],
)
def test_attributes_of_self(body: str, name: str) -> None:
    assert name in calls(f"import a\nclass C(a.Base):\n    {body}\n")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "def f(request: web.Request):\n    m: Churn = request.app.state.model\n    m.predict(1)",
            "churn.Churn.predict",
        ),
        (
            "def f(request: web.Request):\n    m = request.app.state.model\n    m.predict(1)",
            "web.Request.app.state.model.predict",
        ),
        ("m: Churn = web.model\nm.predict(1)", "web.model.predict"),
        ("m: Churn = web.Request()\nm.predict(1)", "web.Request.predict"),
        ("m: Churn = unknown.model\nm.predict(1)", "churn.Churn.predict"),
    ],
)
def test_an_annotation_tells_what_an_attribute_of_an_object_holds(text: str, name: str) -> None:
    module = extract("m.py", ast.parse(f"import web\nfrom churn import Churn\n{text}"))
    assert module.calls[-1].name == name


def test_super_without_a_known_base() -> None:
    assert calls("class C:\n    def f(self): super().g()") == ["super.g", "super"]


def test_relative_imports_are_paths_from_the_root() -> None:
    text = "from . import a\nfrom .b import c\nfrom ..d import e\nfrom ..... import f\nfrom .g import *\n"
    assert module_of(text, "src/pkg/m.py").imports == (
        Import("src.pkg.a", 1, ""),
        Import("src.pkg.b.c", 2, ""),
        Import("src.d.e", 3, ""),
        Import("f", 4, ""),
        Import("src.pkg.g", 5, "", star=True),
    )


def test_imports_know_their_scope() -> None:
    module = module_of("import a.b\ndef f():\n    import c as d\nif __name__ == '__main__':\n    import e\n")
    assert module.imports == (Import("a.b", 1, ""), Import("c", 3, "f"), Import("e", 5, MAIN))
    assert module.roots == {"a", "c", "e"}


# -- what is no code ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "if False:\n    f()",
        "if 0:\n    f()",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    f()",
        "import typing\nif typing.TYPE_CHECKING:\n    f()",
        "def g():\n    return 1\n    f()",
        "def g():\n    raise ValueError\n    f()",
        "for x in y:\n    continue\n    f()",
        "while x:\n    break\n    f()",
        '"""f()"""',
        "# f()",
        "def g():\n    'f()'",
        "x = 'f()'",
    ],
)
def test_code_that_cannot_run_is_no_code(text: str) -> None:
    assert calls(text) == []


def test_type_checking_imports_are_no_imports() -> None:
    assert module_of("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mlflow\n").roots == {"typing"}


@pytest.mark.parametrize(
    "text",
    [
        "if False:\n    pass\nelse:\n    f()",
        "if False:\n    pass\nelif x:\n    f()",
        "if x:\n    raise E\nf()",
        "def g():\n    if x:\n        return\n    f()",
        "try:\n    pass\nexcept E:\n    f()",
        "try:\n    pass\nfinally:\n    f()",
        "match x:\n    case 1:\n        f()",
        "while f(): pass",
        "for x in f(): pass",
        "for x in y: pass\nelse: f()",
        "with f(): pass",
        "assert f()",
        "x = [f() for _ in y]",
        "x = {1: f()}",
        "x = f'{f()}'",
        "def g(x=f()): pass",
        "g = lambda x=f(): x",
        "g = lambda: f()",
        "@f()\ndef g(): pass",
        "class C(metaclass=f()): pass",
        "del f().x",
        "return_ = (yield f())",
    ],
)
def test_calls_are_found_wherever_they_stand(text: str) -> None:
    assert "*.f" in calls(text)


# -- calls -------------------------------------------------------------------------------------------------------------


def test_a_call_knows_its_constants_and_place() -> None:
    text = (
        "RATE = 0.5\n\ndef f():\n    g(RATE, 'a', x,\n"
        "      b=True, c=None, d=-1, e=f'n{RATE}', h=[1, 'two words'], **k)\n"
    )
    (call,) = module_of(text).calls
    assert (call.name, call.line, call.end_line, call.scope) == ("*.g", 4, 5, "f")
    assert call.args == ("0.5", "a", None)
    assert call.keywords == (
        ("b", "true"),
        ("c", "none"),
        ("d", "-1"),
        ("e", "n0.5"),
        ("h", "1 'two words'"),
    )
    assert call.keyword("b") == "true"
    assert call.keyword("missing") is None


@pytest.mark.parametrize(
    ("text", "keywords"),
    [
        ("f(**{'a': 1, 'b': x})", (("a", "1"), ("b", None))),
        ("f(c=2, **dict(a='x'))", (("c", "2"), ("a", "x"))),
        ("given = {'a': True}\nf(**given)", (("a", "true"),)),
        ("given = {'a': 1}\ndef g():\n    f(**given)", (("a", "1"),)),
        ("given = dict(a=1, **more)\nf(**given)", (("a", "1"),)),
        ("given = {'a': 1}\ngiven = load()\nf(**given)", ()),
        ("given = {'a': 1}\ndef g(given):\n    f(**given)", ()),
        ("given = {key: 1, **more}\nf(**given)", ()),
        ("f(**other)", ()),
        ("f(**load(a=1))", ()),
        ("given = {'a': 1}\nf(*given)", ()),
    ],
)
def test_keywords_that_a_dictionary_gives(text: str, keywords: tuple[tuple[str, str | None], ...]) -> None:
    call = next(call for call in module_of(text).calls if call.name == "*.f")
    assert call.keywords == keywords


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('{"0": 100}', "{0: 100}"),
        ("{0: 20, 'blue': 80}", "{0: 20, blue: 80}"),
        ("{}", None),
        ("{'a': b}", None),
        ("{'a': 'b'}", None),
        ("{**a}", None),
        ("{b'a': 1}", None),
    ],
)
def test_shares_of_a_call(value: str, text: str | None) -> None:
    (call,) = module_of(f"f(a={value})").calls
    assert call.keyword("a") == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("X = 1\nf(X)", "1"),
        ("X = 1\nX = g()\nf(X)", None),
        ("X = 1\nX += 1\nf(X)", None),
        ("X = 1\ndef h(X): f(X)", None),
        ("X = 1\ndef h():\n    X = g()\n    f(X)", None),
        ("X = 1\ndef h(): f(X)", "1"),
        ("class C:\n    X = 1\n    def h(self): f(X)", None),
        ("X = 1\nfor X in y: f(X)", None),
        ("f(0x" + "f" * 5000 + ")", None),
        ("f(1j)", "1j"),
        ("f(b'a')", "b'a'"),
        ("f(...)", "Ellipsis"),
    ],
)
def test_constants_of_arguments(text: str, value: str | None) -> None:
    call = next(call for call in module_of(text).calls if call.name == "*.f")
    assert call.args == (value,)


def test_references_handed_over() -> None:
    text = (
        "import a\ndef f(): pass\nclass C:\n    def m(self): g(self.m, [f, a.b], {'k': f}, x=a.c)\n"
        "g(print, 1, f(), [int])\nfrom b import *\ng(h, key=b.h)\n"
    )
    first, second, third = (call for call in module_of(text).calls if call.name == "*.g")
    assert first.refs == ("@.C.m", "@.f", "a.b", "@.f", "a.c")
    assert second.refs == ()
    assert third.refs == ("*.h", "*.b.h")


@pytest.mark.parametrize(
    ("text", "name", "refs"),
    [
        ("if x:\n    from a import m\nelse:\n    from b import m\nm.run()", "b.m.run", ("a.m.run",)),
        ("if x:\n    import a as m\nelif y:\n    import b as m\nelse:\n    raise E\nm.run()", "b.run", ("a.run",)),
        ("if x:\n    f = a.A()\nelse:\n    f = a.B()\nf.run()", "a.B.run", ("a.A.run",)),
        ("match x:\n    case 1:\n        f = a.A\n    case _:\n        f = a.B\nf()", "a.B", ("a.A",)),
        ("if x:\n    f = a.A()\nelse:\n    f = a.B()\nf = a.C()\nf.run()", "a.C.run", ()),  # bound anew
        ("if x:\n    f = a.A()\nelse:\n    f = a.A()\nf.run()", "a.A.run", ()),
        ("try:\n    import a as m\nexcept ImportError:\n    import b as m\nm.run()", "a.run", ()),  # one of the two
        ("T = {'x': a.A, 'y': a.B}\nT[x]().run()", "a.A.run", ("a.B.run",)),
        ("T = {'x': a.A, 'y': a.B}\nT.get(x)().run()", "a.A.run", ("a.B.run",)),
        ("T = {'x': a.A(), 'y': a.B(1)}\nT[x].run()", "a.A.run", ("a.B.run",)),
        ("T = {'x': a.A, 'y': a.B}\nT['y']().run()", "a.B.run", ()),
        ("T = {'x': a.A, 'y': a.B}\nU = T.copy()\nc = U[x]\nc(1).run()", "a.A.run", ("a.B.run",)),
        ("def f(): pass\ndef g(): pass\nT = {'x': f, 'y': g}\nT[x]()", "@.f", ("@.g",)),
        ("T = {'x': a.A, 'y': 1}\nT[x].run()", "?.run", ()),  # of two kinds
        ("T = {'x': a.read(), 'y': a.read()}\nT[x].run()", "?.run", ()),  # data
        ("T = {'x': a.A, **U}\nT['z'].run()", "?.run", ()),
        ("T = {'x': T.get('y')}\nT[x].run()", "?.run", ()),
        ("from m import xgb\nT = {'x': xgb.load, 'y': a.load}\nT[x]()", "m.xgb.load", ("a.load",)),
        ("f = a.load()\nT = {'x': f, 'y': a.load}\nT[x]()", "?", ()),
        ("T = {'x': a.load(), 'y': a.B}\nT[x]()", "?", ()),
    ],
)
def test_what_a_call_may_mean_besides_its_name(text: str, name: str, refs: tuple[str, ...]) -> None:
    last = next(call for call in module_of(f"import a\n{text}\n").calls if call.name == name)
    assert last.refs == refs


# -- definitions -------------------------------------------------------------------------------------------------------


def test_functions_and_classes() -> None:
    text = (
        "import a\n\n@a.deco\n@a.task(retries=2)\ndef f(x, /, y, *, z) -> a.R:\n    return a.B()\n\n"
        "@a.data\nclass C(a.Base, Other, metaclass=a.M):\n    field: a.F\n    async def m(self): pass\n"
        "    class Inner:\n        def n(self): pass\n"
    )
    module = module_of(text)
    assert module.functions["f"] == Function("f", 5, 6, ("a.deco", "a.task"), "a.B", ("x", "y", "z"))
    assert module.functions["C.m"] == Function("C.m", 11, 11, (), "", ("self",), stub=True)
    assert sorted(module.functions) == ["C.Inner.n", "C.m", "f"]
    assert module.classes["C"] == Class("C", 9, 13, ("a.Base", "*.Other"), ("m",), {"field": "a.F"}, ("a.data",))
    assert module.classes["C.Inner"].methods == ("n",)


@pytest.mark.parametrize(
    ("body", "returns"),
    [
        ("return a.B()", "a.B"),
        ("x = a.B()\n    return x", "a.B"),
        ("if c:\n        return None\n    return a.B()", "a.B"),
        ("return await a.b()", "a.b"),
        ("return 1", ""),
        ("return len(x)", ""),
        ("return x.y", ""),
        ("def g():\n        return a.B()", ""),
        ("return g()\n    def g(): pass", "@.f.g"),
        ("t = {'b': a.B, 'c': a.C}\n    return t[x]", "a.B"),
        ("t = {'b': a.B, 'c': a.C}\n    return t.get(x, None)", "a.B"),
        ("t = {'b': 1, 'c': 2}\n    return t[x]", ""),
    ],
)
def test_what_a_function_returns(body: str, returns: str) -> None:
    assert module_of(f"import a\nasync def f(x):\n    {body}\n").functions["f"].returns == returns


def test_what_a_method_returns_of_its_object() -> None:
    text = "import a\nclass C:\n    def __init__(self): self.m = a.B()\n    def get(self): return self.m\n"
    assert module_of(text).functions["C.get"].returns == "a.B"


@pytest.mark.parametrize(
    ("body", "stub"),
    [
        ("pass", True),
        ("...", True),
        ("'doc'", True),
        ("'doc'\n    raise NotImplementedError('later')", True),
        ("print('training')", True),
        ("logging.info('training')", True),
        ("return 1", False),
        ("raise ValueError", False),
        ("train()", False),
    ],
)
def test_stubs(body: str, stub: bool) -> None:
    assert module_of(f"def f():\n    {body}\n").functions["f"].stub is stub


def test_variables_constants_strings_and_statements() -> None:
    text = "'''doc'''\nimport a\nMODEL = a.B()\nPATH = 'data.csv'\nLIMIT = 0.8\nn = g()\nprint('hi', 'x')\n"
    module = module_of(text)
    assert module.variables == {"a": "a", "MODEL": "a.B"}
    assert module.constants == {"PATH": "data.csv", "LIMIT": "0.8"}
    assert module.strings == ((4, "data.csv"), (7, "hi"))
    assert module.statements == 6


# -- the main block ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "test",
    [
        "__name__ == '__main__'",
        "'__main__' == __name__",
        "__name__ == '__main__' and ready",
        "(__name__ == '__main__')",
    ],
)
def test_the_main_block_is_a_scope(test: str) -> None:
    module = module_of(f"def f(): pass\n\nif {test}:\n    def g(): pass\n    f()\n    g()\nelse:\n    h()\n")
    assert module.main_line == 3
    assert [(call.name, call.scope) for call in module.calls] == [("@.f", MAIN), ("@.g", MAIN), ("*.h", "")]
    assert sorted(module.functions) == ["f", "g"]


@pytest.mark.parametrize("test", ["__name__ != '__main__'", "__name__ == 'main'", "name == '__main__'", "x or y"])
def test_what_is_no_main_block(test: str) -> None:
    module = module_of(f"if {test}:\n    f()\n")
    assert module.main_line == 0
    assert [call.scope for call in module.calls] == [""]


# -- guards ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "stops"),
    [
        ("raise ValueError", "raise"),
        ("print('bad')\n    raise ValueError", "raise"),
        ("sys.exit(1)", "exit"),
        ("exit(1)", "exit"),
        ("pytest.fail('bad')", "exit"),
        ("run.cancel()", "exit"),
        ("return False", "return"),
        ("print('bad')", ""),
        ("for x in y:\n        raise ValueError", "raise"),
        ("def g():\n        raise ValueError", ""),
        ("ok()\n    raise_()", ""),
    ],
)
def test_what_a_guard_stops(body: str, stops: str) -> None:
    text = f"import sys, pytest\ndef f(score):\n  if score < 0.8:\n    {body}\n"
    (guard,) = module_of(text).guards
    assert (guard.line, guard.end_line, guard.scope, guard.stops) == (3, 3, "f", stops)
    assert guard.compares
    assert guard.names == ("score",)
    assert guard.numbers == (0.8,)
    assert guard.body_end == text.count("\n")


def test_the_other_branch_may_stop() -> None:
    (guard,) = module_of("if score > 0.8:\n    ship()\nelse:\n    raise ValueError\n").guards
    assert guard.stops == "raise"


def test_numbers_and_names_through_constants_and_variables() -> None:
    text = (
        "LIMIT = 0.9\nLEVEL = 'inf'\n\ndef f(report):\n    auc = report['roc_auc']\n    if auc < LIMIT and LEVEL:\n"
        "        raise ValueError\n"
    )
    (guard,) = module_of(text).guards
    assert set(guard.names) == {"auc", "LIMIT", "LEVEL", "report", "roc_auc"}
    assert guard.numbers == (0.9,)


@pytest.mark.parametrize(
    ("text", "compares", "trivial", "numbers"),
    [
        ("assert x > 1", True, False, (1.0,)),
        ("assert x", False, False, ()),
        ("assert True", False, True, ()),
        ("assert 1", False, True, (1.0,)),
        ("assert np.allclose(x, y)", True, False, ()),
        ("assert x == 1" + "0" * 400, True, False, ()),
        ("assert x < 1e999", True, False, (float("inf"),)),
        ("assert x > -0.5", True, False, (-0.5,)),
        ("assert -1 < x < 1", True, False, (-1.0, 1.0)),
        ("assert x - 2 > -y", True, False, (2.0,)),
        ("assert x > float('-inf')", True, False, (float("-inf"),)),
        ("assert x > -float('inf')", True, False, (float("-inf"),)),
        ("assert x > float('nan')", True, False, ()),
        ("assert x > float(y)", True, False, ()),
    ],
)
def test_assertions(text: str, compares: bool, trivial: bool, numbers: tuple[float, ...]) -> None:
    (guard,) = module_of(text).guards
    assert (guard.stops, guard.compares, guard.trivial, guard.numbers) == ("assert", compares, trivial, numbers)


def test_every_arm_of_a_chain_is_a_guard() -> None:
    chain = "if x < 0: pass\n" + "".join(f"elif x < {n}: g{n}()\n" for n in range(1, 150)) + "else: last()\n"
    module = module_of(chain)
    assert len(module.guards) == 150
    assert module.calls[-1].name == "*.last"
    assert module.statements == 301


def test_a_comparison_whose_value_is_used() -> None:
    (guard,) = module_of("def ok(score):\n    return score > 0.7\n").guards
    assert (guard.stops, guard.names, guard.numbers) == ("", ("score",), (0.7,))


def test_a_plain_branch_is_no_guard() -> None:
    assert module_of("if verbose:\n    show()\n").guards == ()


# -- notebooks ---------------------------------------------------------------------------------------------------------


def test_a_notebook_has_the_lines_of_its_file() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title"]},
        {"cell_type": "code", "source": ["import xgboost as xgb\n", "%matplotlib inline\n"], "outputs": []},
        {
            "cell_type": "code",
            "source": ["model = xgb.train(\n", "    1)\n", "assert model.auc > 0.8\n"],
            "outputs": [],
        },
    ]
    text = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}, indent=1)
    lines = text.split("\n")
    module = module_of(text, "a.ipynb")
    assert module.notebook
    (call,) = module.calls
    assert call.name == "xgboost.train"
    assert "xgb.train" in lines[call.line - 1]
    assert call.end_line == call.line + 1
    assert "import xgboost" in lines[module.imports[0].line - 1]
    assert "assert" in lines[module.guards[0].line - 1]


def test_lines_beyond_the_map_are_its_last() -> None:
    module = extract("a.ipynb", ast.parse("f()\ng()\n"), (7,), notebook=True)
    assert [call.line for call in module.calls] == [7, 7]


# -- anything ----------------------------------------------------------------------------------------------------------

_EXPRESSIONS = st.recursive(
    st.sampled_from(
        ["x", "self", "None", "1", "-2.5", "'s'", "b's'", "...", "1j", "9" * 400, "[]", "super()", "f'{x!r:>{y}}'"]
    ),
    lambda inner: st.one_of(
        st.builds("{}.{}".format, inner.map("({})".format), st.sampled_from(["fit", "x", "__init__"])),
        st.builds("({})({}, k={}, *{}, **y)".format, inner, inner, inner, inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{{}: {}, **z}}".format, inner, inner),
        st.builds("[{} for x, (y, *z) in {} if {}]".format, inner, inner, inner),
        st.builds("{{{}: {} for self.x in {}}}".format, inner, inner, inner),
        st.builds("(lambda x, *y, z={}, **k: {})".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("({} < {} <= {})".format, inner, inner, inner),
        st.builds("(w := {})".format, inner),
    ),
    max_leaves=6,
)
_STATEMENTS = st.recursive(
    st.one_of(
        _EXPRESSIONS,
        st.builds("x = self.y = {}".format, _EXPRESSIONS),
        st.builds("x, *(y, z) = {}".format, _EXPRESSIONS),
        st.builds("x: {} = {}".format, _EXPRESSIONS, _EXPRESSIONS),
        st.builds("x += {}".format, _EXPRESSIONS),
        st.builds("assert {}, {}".format, _EXPRESSIONS, _EXPRESSIONS),
        st.builds("raise E from {}".format, _EXPRESSIONS),
        st.sampled_from(
            ["pass", "import a.b as c", "from .... import d", "from x import *", "global x", "del x", "'''doc'''"]
        ),
    ),
    lambda inner: st.builds(
        lambda head, first, second: f"{head}\n" + "\n".join(f" {line}" for line in f"{first}\n{second}".split("\n")),
        st.sampled_from(
            [
                "if x < y:",
                "if __name__ == '__main__':",
                "if TYPE_CHECKING:",
                "for x, (y, z) in [(1, (A(), 2))]:",
                "while x:",
                "with a() as b, c() as (d, e):",
                "def f(a, /, b: 'B', *c, d=1, **e) -> C[D] | None:",
                "async def g(self):",
                "@a.b(c)\nclass K(L[M], f(), metaclass=N):",
                "try:\n pass\nexcept* (A, B) as e:",
                "try:\n import q\nexcept E:\n q = None\nelse:\n pass\nfinally:",
                "match x:\n case {'a': [b, *c]} if d:\n  pass\nif 1:",
            ]
        ),
        inner,
        inner,
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_STATEMENTS, max_size=4).map("\n".join))
def test_extract_takes_anything_that_parses(text: str) -> None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    module = extract("pkg/m.py", tree)
    last = text.count("\n") + 1
    places = [(item.line, item.end_line) for item in module.calls]
    places += [(item.line, item.end_line) for item in module.guards]
    places += [(item.line, item.end_line) for item in module.functions.values()]
    places += [(item.line, item.end_line) for item in module.classes.values()]
    assert all(1 <= line <= end <= last for line, end in places)
    assert all(call.name for call in module.calls)


_PROGRAM = """import a
from b import *
class C(a.B):
    m: a.M = a.make()
    def f(self, x=1):
        with self.m as run:
            return [y for y in run.fit(x) if y > 0.5]
for n, m in [("x", C())]:
    m.f(lambda q: q.z)
if __name__ == "__main__":
    C().f()
"""


@settings(max_examples=150, deadline=None)
@given(mutations(_PROGRAM))
def test_broken_programs_raise_nothing_but_document_errors(text: str) -> None:
    try:
        document = parse(text)
    except DocumentError:
        return
    extract("m.py", document.tree)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "f(" * 150 + ")" * 150,
        "x = " + "(lambda: " * 90 + "1" + ")" * 90,
        "x = " + "[" * 90 + "1" + " for x in y]" * 90,
        "".join("\t" * n + "if x:\n" for n in range(95)) + "\t" * 95 + "f()",
        "".join("\t" * n + "class C:\n" for n in range(95)) + "\t" * 95 + "f()",
        "if x: f()\n" + "elif x: f()\n" * 150,
        "class A(A): pass\n" * 50,
        "a1 = 0\nif a1: b = 1\n" * 2000,
    ],
)
def test_deep_and_long_programs(text: str) -> None:
    assert build(Source("m.py", text)).module is not None


@pytest.mark.parametrize(
    "text",
    ["if x: f()\n" + "elif x: f()\n" * 3000, "x = " + "-" * 5000 + "1", "x = a" + ".b" * 5000, "f" + "()" * 3000],
)
def test_a_file_may_be_given_up_but_nothing_raises(text: str) -> None:
    build(Source("m.py", text))
