"""The direction of imports and the length of functions, and proof that these checks can fail.

app → viz → dawn, app → dawn. An import inside a function counts like any other, and so does what an imported module imports
in turn. The command line alone may reach the models from inside its functions; and its composition root, dawn.__main__, may
reach viz.exports from inside a function, as app.py reaches everything: somebody has to hand the command line what draws.
Nothing else below dawn may, and viz.exports itself needs no gradio.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("dawn", "viz", "app.py")
LAZY = {"dawn.cli", "dawn.__main__"}
MODELS = ("dawn.models", "dawn.pretrain")
PLAIN_VIZ = ("viz.exports", "viz.figures", "viz.payload", "viz.layouts", "viz.theme")
OUTSIDE = ("viz", "gradio", "plotly", "app")  # of dawn
DOORS = {"dawn.__main__": ("viz.exports",)}  # what a module of LAZY may reach of them from inside a function


@dataclass(frozen=True)
class Law:
    """Modules below `inside`, except those below `outside`, must not reach `forbidden`."""

    inside: tuple[str, ...]
    forbidden: tuple[str, ...]
    outside: tuple[str, ...] = ()


LAWS = (
    Law(("dawn",), OUTSIDE),
    Law(("dawn",), ("torch", "transformers"), MODELS),
    Law(("viz",), ("torch", "transformers", "app")),
    Law(PLAIN_VIZ, ("gradio",)),
)


def below(module: str, tops: tuple[str, ...]) -> bool:
    return any(module == top or module.startswith(top + ".") for top in tops)


def sources(root: Path) -> dict[str, Path]:
    """Module name → file, of everything in the project's folders."""
    files = [
        path for folder in FOLDERS for path in ([root / folder] if folder.endswith(".py") else root.glob(f"{folder}/**/*.py"))
    ]
    return {name_of(path.relative_to(root)): path for path in files if path.exists()}


def name_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(module: str, path: Path) -> set[str]:
    """Every module that a file names in an import, its parents included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = outside_functions(tree) if module in LAZY else ast.walk(tree)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    named = {name for node in nodes for name in names_in(node, package)}
    return {".".join(name.split(".")[: n + 1]) for name in named for n in range(name.count(".") + 1)}


def outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from outside_functions(child)


def names_in(node: ast.AST, package: str) -> Iterator[str]:
    """The modules that an import statement, `__import__("…")` or `import_module("…")` names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called in ("__import__", "import_module") and isinstance(node.args[0].value, str):
            yield node.args[0].value


def chains(start: str, graph: dict[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """The shortest chain of imports from `start` to each module that it reaches."""
    queue, seen = [(start,)], {start}
    for chain in queue:
        yield chain
        for name in sorted(graph.get(chain[-1], set()) - seen):
            seen.add(name)
            queue.append((*chain, name))


def back_doors(root: Path) -> list[str]:
    """What modules of LAZY reach from inside their functions and may not."""
    found = []
    for module, path in sources(root).items():
        if module in LAZY:
            doors = DOORS.get(module, ())
            named = {name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) for name in names_in(node, "dawn")}
            found += [f"{module} → {name}" for name in sorted(named) if below(name, OUTSIDE) and not below(name, doors)]
    return found


def violations(root: Path) -> list[str]:
    """Every chain of imports that breaks a law."""
    graph = {module: imports(module, path) for module, path in sources(root).items()}
    return back_doors(root) + [
        " → ".join(chain)
        for law in LAWS
        for module in sorted(graph)
        if below(module, law.inside) and not below(module, law.outside)
        for chain in chains(module, graph)
        if chain[-1] in law.forbidden
    ]


def lengths(root: Path) -> dict[str, int]:
    """Lines of every function, docstring included: file:line name → lines."""
    found = {}
    for path in sources(root).values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found[f"{path.relative_to(root)}:{node.lineno} {node.name}"] = node.end_lineno - node.lineno + 1
    return found


def too_long(found: dict[str, int]) -> list[str]:
    """What is wrong with the lengths: single functions, the middle one, the longest tenth."""
    wrong = [f"{name} has {lines} lines; at most 45" for name, lines in found.items() if lines > 45]
    if len(found) > 1:
        if median(found.values()) > 10:
            wrong.append(f"the median function has {median(found.values())} lines; at most 10")
        if quantiles(found.values(), n=10, method="inclusive")[-1] > 25:
            longest = sorted(found, key=found.get)[-len(found) // 10 :]
            wrong.append(f"more than a tenth of the functions have over 25 lines, among them {', '.join(longest[:5])}")
    return wrong


def test_imports_go_one_way():
    assert violations(ROOT) == []


def test_functions_are_short():
    assert too_long(lengths(ROOT)) == []


def test_the_checks_see_the_project():
    assert {"dawn.rules.dawn", "dawn.rules", "dawn.trace", "dawn.pretrain.train"} <= set(sources(ROOT))
    assert "dawn.canvas" in imports("dawn.trace", ROOT / "dawn" / "trace.py")
    assert any(name.endswith(" decode") for name in lengths(ROOT))


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"dawn/a.py": "import torch"}, "dawn.a → torch"),
        ({"dawn/a.py": "import torch.nn.functional as F"}, "dawn.a → torch"),
        ({"dawn/a.py": "from torch import nn"}, "dawn.a → torch"),
        ({"dawn/a.py": "def f():\n    import torch"}, "dawn.a → torch"),
        ({"dawn/a.py": "class A:\n    def f(self):\n        from torch.nn import Linear"}, "dawn.a → torch"),
        ({"dawn/a.py": "if True:\n    import torch"}, "dawn.a → torch"),
        ({"dawn/a.py": "t = __import__('torch')"}, "dawn.a → torch"),
        ({"dawn/a.py": "import importlib\nt = importlib.import_module('torch')"}, "dawn.a → torch"),
        ({"dawn/rules/a.py": "from ..models import m", "dawn/models/m.py": "import torch"},
         "dawn.rules.a → dawn.models.m → torch"),
        ({"dawn/a.py": "import dawn.models.m", "dawn/models/__init__.py": "import torch", "dawn/models/m.py": ""},
         "dawn.a → dawn.models → torch"),
        ({"dawn/a.py": "from . import b", "dawn/b.py": "import transformers"}, "dawn.a → dawn.b → transformers"),
        ({"dawn/cli.py": "from dawn.models import m", "dawn/models/m.py": "import torch"}, "dawn.cli → dawn.models.m → torch"),
        ({"dawn/cli.py": "if 1:\n    import torch"}, "dawn.cli → torch"),
        ({"dawn/cli.py": "def f():\n    import torch", "dawn/a.py": "def f():\n    import torch"}, "dawn.a → torch"),
        ({"dawn/a.py": "from viz import theme"}, "dawn.a → viz"),
        ({"dawn/a.py": "def f():\n    from viz.exports import made"}, "dawn.a → viz"),
        ({"dawn/cli.py": "def f():\n    from viz.exports import made"}, "dawn.cli → viz.exports.made"),
        ({"dawn/__main__.py": "def f():\n    import viz.lab"}, "dawn.__main__ → viz.lab"),
        ({"dawn/__main__.py": "def f():\n    import gradio"}, "dawn.__main__ → gradio"),
        ({"dawn/__main__.py": "from viz.exports import made", "viz/exports.py": ""}, "dawn.__main__ → viz"),
        ({"viz/exports/a.py": "import gradio"}, "viz.exports.a → gradio"),
        ({"dawn/models/a.py": "import gradio as gr"}, "dawn.models.a → gradio"),
        ({"dawn/pretrain/a.py": "import plotly.graph_objects"}, "dawn.pretrain.a → plotly"),
        ({"dawn/a.py": "import app"}, "dawn.a → app"),
        ({"viz/tabs/a.py": "import torch"}, "viz.tabs.a → torch"),
        ({"viz/a.py": "from dawn.models import m", "dawn/models/m.py": "import torch"}, "viz.a → dawn.models.m → torch"),
        ({"viz/figures/a.py": "import gradio"}, "viz.figures.a → gradio"),
        ({"viz/payload.py": "from viz import helper", "viz/helper.py": "import gradio"}, "viz.payload → viz.helper → gradio"),
        ({"viz/theme.py": "import gradio"}, "viz.theme → gradio"),
    ],
)  # fmt: skip
def test_a_tree_that_breaks_a_law_is_found(tmp_path, files, expected):
    assert expected in violations(write(tmp_path, files))


def test_a_tree_that_keeps_the_laws_passes(tmp_path):
    files = {
        "app.py": "import gradio, torch\nfrom viz.tabs import a\nfrom dawn.models import m",
        "viz/tabs/a.py": "import gradio\nfrom viz import theme\nfrom dawn import b",
        "viz/theme.py": "import plotly",
        "viz/figures/a.py": "import plotly.graph_objects as go\nfrom dawn import b",
        "dawn/b.py": "import numpy\nfrom dawn.pretrain.data import rows\ntorch = 'import torch'",
        "dawn/pretrain/data.py": "import numpy",
        "dawn/pretrain/train.py": "import torch",
        "dawn/models/m.py": "import torch\nfrom dawn import b",
        "dawn/cli.py": "def f():\n    from dawn.models import m",
        "dawn/__main__.py": "from dawn.cli import f\n\ndef g():\n    from viz.exports import made",
        "viz/exports/__init__.py": "import PIL\nfrom viz import theme",
        "tests/a.py": "import torch, viz, dawn",
    }
    assert violations(write(tmp_path, files)) == []


def function(name: str, lines: int) -> str:
    return f"def {name}():\n" + "    pass\n" * (lines - 1)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([3] * 20 + [46], "long20 has 46 lines; at most 45"),
        ([11] * 10, "the median function has 11"),
        ([5] * 16 + [26] * 4, "more than a tenth"),
    ],
)
def test_functions_that_are_too_long_are_found(tmp_path, sizes, message):
    text = "\n".join(function(f"long{index}", size) for index, size in enumerate(sizes))
    for file in ("dawn/a.py", "viz/tabs/a.py", "app.py"):
        root = tmp_path / file.replace("/", "_")
        assert any(message in line for line in too_long(lengths(write(root, {file: text}))))


def test_short_functions_pass_and_methods_count(tmp_path):
    text = "class A:\n    async def f(self):\n        pass\n\n" + function("g", 45) + function("h", 3) * 10
    found = lengths(write(tmp_path, {"dawn/a.py": text}))
    assert too_long(found) == [] and sorted(found.values())[0] == 2 and len(found) == 12
