"""The public surface is one table: everything in it resolves, nothing outside it is public."""

from __future__ import annotations

import inspect
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import segue
from checkout import ROOT, TOOLS


def run_tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A generator, run as `make docs` runs it."""
    command = [sys.executable, str(TOOLS / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_generated_files_fit_the_table() -> None:
    done = run_tool("generate_public.py", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_names_are_sorted_and_single() -> None:
    assert segue.__all__ == sorted(set(segue.__all__))


@pytest.mark.parametrize("name", segue.__all__)
def test_each_name_resolves_and_is_kept(name: str) -> None:
    value = getattr(segue, name)
    assert vars(segue)[name] is value
    assert getattr(segue, name) is value


def test_classes_and_functions_are_found_again_by_pickle() -> None:
    for name in segue.__all__:
        value = getattr(segue, name)
        if isinstance(value, type) or inspect.isroutine(value):
            assert pickle.loads(pickle.dumps(value)) is value, name


def test_dir_lists_all() -> None:
    assert set(segue.__all__) <= set(dir(segue))


def test_star_import_brings_all_and_nothing_else() -> None:
    namespace: dict[str, object] = {}
    exec("from segue import *", namespace)
    del namespace["__builtins__"]
    assert sorted(namespace) == segue.__all__


def test_an_unknown_name_is_refused_and_near_ones_are_named() -> None:
    with pytest.raises(AttributeError, match=r"'AssetKy'\. Did you mean 'AssetKey'"):
        getattr(segue, "Asset" + "Ky")
    with pytest.raises(AttributeError, match=r"no attribute 'xyzzy'\.$"):
        getattr(segue, "xy" + "zzy")
    with pytest.raises(ImportError):
        exec("from segue import NoSuchName")
    assert not hasattr(segue, "__wrapped__")


def copy_of_table(folder: Path, table: str | None = None) -> Path:
    """A checkout with nothing in it but the table and the generated files."""
    (folder / "tools").mkdir()
    package = folder / "src" / "segue"
    package.mkdir(parents=True)
    for name in ("__init__.py", "__init__.pyi", "errors.py"):
        shutil.copy(ROOT / "src" / "segue" / name, package)
    (package / "model").mkdir()
    text = (TOOLS / "public_names.toml").read_text(encoding="utf-8") if table is None else table
    (folder / "tools" / "public_names.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_check_sees_a_changed_table_and_writing_mends_it(tmp_path: Path) -> None:
    root = copy_of_table(tmp_path)
    assert run_tool("generate_public.py", "--check", "--root", str(root)).returncode == 0
    with (root / "tools" / "public_names.toml").open("a", encoding="utf-8") as table:
        table.write('\n[more]\ntitle = "More"\nAnother = "segue.model.another:other_name"\n')
    stale = run_tool("generate_public.py", "--check", "--root", str(root))
    assert stale.returncode == 1
    assert "__init__.py is out of date" in stale.stdout
    assert "__init__.pyi is out of date" in stale.stdout
    assert run_tool("generate_public.py", "--root", str(root)).returncode == 0
    assert run_tool("generate_public.py", "--check", "--root", str(root)).returncode == 0
    package = root / "src" / "segue"
    assert '"Another": "segue.model.another:other_name",' in (package / "__init__.py").read_text(encoding="utf-8")
    assert "import other_name as Another" in (package / "__init__.pyi").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ('[a]\nX = "segue.x"', "no title"),
        ('[a]\ntitle = "A"\nX = "segue.x"\n[b]\ntitle = "B"\nX = "segue.y"', "X stands in [a] and in [b]"),
        ('[a]\ntitle = "A"\nX = "os.path"', "outside segue"),
        ('[a]\ntitle = "A"\nmodel = "segue.x"', "also the name of a module"),
    ],
)
def test_a_table_that_cannot_be_is_refused(tmp_path: Path, table: str, complaint: str) -> None:
    done = run_tool("generate_public.py", "--root", str(copy_of_table(tmp_path, table)))
    assert done.returncode != 0
    assert complaint in done.stderr
