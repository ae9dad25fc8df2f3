"""References from assets to the code that declares them."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

import segue as sg

HERE = Path(__file__)
URL = "https://github.com/acme/data"


@sg.asset(metadata={"team": "data"})
def orders() -> None: ...


@sg.multi_asset(outs={"a": sg.AssetOut(), "b": sg.AssetOut()})
def both() -> None: ...


DOCS = sg.UrlCodeReference(url="https://docs.example.com", label="docs")
EXTERNAL = sg.AssetSpec(
    "external", metadata={"dagster/code_references": sg.CodeReferencesMetadataValue(code_references=[DOCS])}
)


def references(asset: sg.AssetsDefinition | sg.AssetSpec) -> list[list[Any]]:
    specs = [asset] if isinstance(asset, sg.AssetSpec) else asset.specs
    found = [spec.metadata.get("dagster/code_references") for spec in specs]
    return [[] if each is None else list(each.code_references) for each in found]  # type: ignore[attr-defined]


def line_of(name: str) -> int:
    text = inspect.getsource(inspect.getmodule(line_of) or object)
    lines = text.splitlines()
    return next(at for at, line in enumerate(lines, 1) if line.startswith(f"def {name}(")) - 1  # the decorator's


def test_assets_name_the_place_of_their_function() -> None:
    own, several, external = sg.with_source_code_references([orders, both, EXTERNAL])
    place = sg.LocalFileCodeReference(file_path=str(HERE), line_number=line_of("orders"))
    assert references(own) == [[place]]
    assert own.get_asset_spec().metadata["team"] == "data"
    assert [each[0].source for each in references(several)] == [f"{HERE}:{line_of('both')}"] * 2
    assert references(external) == [[DOCS]]
    assert references(sg.with_source_code_references([own])[0]) == [[place]]  # once is enough
    assert references(orders) == [[]]
    sg.Definitions.validate_loadable(sg.Definitions([own, several, external]))


class Flat(sg.FilePathMapping):
    def convert_to_source_control_path(self, local_path: Path) -> str:
        return f"flat/{local_path.name}"


@pytest.mark.parametrize(
    ("mapping", "given", "url"),
    [
        (sg.AnchorBasedFilePathMapping(HERE.parent, "code/tests"), {}, f"{URL}/tree/main/code/tests/{HERE.name}"),
        (sg.AnchorBasedFilePathMapping(HERE.parent.parent, ""), {}, f"{URL}/tree/main/defs/{HERE.name}"),
        (Flat(), {"git_url": f"{URL}.git"}, f"{URL}/tree/main/flat/{HERE.name}"),
        (Flat(), {"git_url": "https://gitlab.com/x/y/"}, f"https://gitlab.com/x/y/-/tree/main/flat/{HERE.name}"),
        (
            Flat(),
            {"git_url": "https://code.acme.com/x", "platform": "gitlab"},
            f"https://code.acme.com/x/-/tree/main/flat/{HERE.name}",
        ),
    ],
)
def test_places_become_links(mapping: sg.FilePathMapping, given: dict[str, Any], url: str) -> None:
    arguments = {"git_url": URL, "git_branch": "main", "file_path_mapping": mapping, **given}
    assets = sg.with_source_code_references([orders, EXTERNAL])
    own, external = sg.link_code_references_to_git(assets, **arguments)
    assert references(own) == [[sg.UrlCodeReference(url=f"{url}#L{line_of('orders')}")]]
    assert references(external) == [[DOCS]]


def test_what_serves_the_repository_must_be_clear() -> None:
    with pytest.raises(
        sg.InvalidInvocationError, match=r"'https://code.acme.com'.* pass platform='github' or 'gitlab'"
    ):
        sg.link_code_references_to_git([orders], "https://code.acme.com", "main", Flat())
    with pytest.raises(sg.InvalidInvocationError, match="not 'cvs'"):
        sg.link_code_references_to_git([orders], URL, "main", Flat(), platform="cvs")  # type: ignore[arg-type]
    with pytest.raises(sg.InvalidDefinitionError, match="takes a FilePathMapping"):
        sg.link_code_references_to_git([orders], URL, "main", "src")  # type: ignore[arg-type]
