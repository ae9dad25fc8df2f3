"""What a file says of assets that another tool describes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

import segue as dg
from segue.defs.components.translation import TranslationFn, TranslationFnResolver, TranslatorResolvingInfo
from segue.errors import ResolutionError

BASE = dg.AssetSpec(
    ["raw", "orders"], tags={"a": "1"}, metadata={"m": 1}, deps=["up"], owners=["team:x"], kinds={"sql"}, group_name="g"
)
WHOLE = dg.AssetSpec("whole")


@pytest.mark.parametrize(
    ("said", "made"),
    [
        (
            dg.AssetAttributesModel(tags={"b": "2"}, metadata={"n": 2}, deps=["y"], owners=["team:y"], kinds=["z"]),
            BASE.replace_attributes(
                tags={"a": "1", "b": "2"}, metadata={"m": 1, "n": 2}, deps=["y"], owners=["team:y"], kinds={"z"}
            ),
        ),
        (dg.AssetAttributesModel(key="new/one"), BASE.replace_attributes(key=["new", "one"])),
        (dg.AssetAttributesModel(key_prefix=["p"]), BASE.replace_attributes(key=["p", "raw", "orders"])),
        (dg.AssetAttributesModel(key="n", key_prefix="p"), BASE.replace_attributes(key=["p", "n"])),
        (
            dg.AssetAttributesModel(group_name="{{ spec.key.path[0] }}", tags={"name": "{{ data['name'] }}"}),
            BASE.replace_attributes(group_name="raw", tags={"a": "1", "name": "ORDERS"}),
        ),
        ("{{ whole }}", WHOLE),
        ("{{ {'group_name': data['name']} }}", BASE.replace_attributes(group_name="ORDERS")),
    ],
)
def test_metadata_and_tags_are_added_and_the_rest_is_replaced(said: Any, made: dg.AssetSpec) -> None:
    info = TranslatorResolvingInfo(dg.ResolutionContext.default(), said)
    assert info.get_asset_spec(BASE, {"spec": BASE, "data": {"name": "ORDERS"}, "whole": WHOLE}) == made


def test_text_that_gives_no_attributes_is_refused() -> None:
    info = TranslatorResolvingInfo(dg.ResolutionContext.default(), "plain")
    with pytest.raises(ResolutionError, match=r"asset_attributes: attributes of assets are expected .* 'plain'"):
        info.get_asset_spec(BASE, {})


@dataclass
class Import(dg.Resolvable):
    translation: (
        Annotated[Callable[..., dg.AssetSpec], TranslationFnResolver(lambda data: {"table": data.upper()})] | None
    ) = None


@dataclass
class Row:
    name: str


@dataclass
class ImportOfRows(dg.Resolvable):
    translation: Annotated[TranslationFn[Row], TranslationFnResolver(lambda row: {"row": row})] | None = None


def test_a_translation_may_name_what_it_translates() -> None:
    translate = ImportOfRows.resolve_from_dict({"translation": {"tags": {"t": "{{ row.name }}"}}}).translation
    assert translate is not None
    assert translate(dg.AssetSpec("a"), Row("bread")).tags == {"t": "bread"}


def test_a_component_gets_a_function_that_translates() -> None:
    translate = Import.resolve_from_dict(
        {"translation": {"tags": {"t": "{{ table }}"}, "key": "x/{{ spec.key.path[1] }}"}}
    )
    assert translate.translation is not None
    assert translate.translation(BASE, "orders") == BASE.replace_attributes(
        key=["x", "orders"], tags={"a": "1", "t": "ORDERS"}
    )
    assert Import.resolve_from_dict({}).translation is None
