"""Definitions out of modules and packages: what is found, under which keys, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

import segue

PACKAGE = {
    "__init__.py": "from segue import asset\n@asset\ndef top(): ...\n",
    "b.py": (
        "from segue import AssetSpec, asset, asset_check, define_asset_job\nfrom shop import top\n"
        "@asset\ndef b(top): ...\n"
        "outside = AssetSpec('outside')\n"
        "@asset_check(asset='b')\ndef full(): ...\n"
        "nightly = define_asset_job('nightly')\n"
    ),
    "deep/__init__.py": "",
    "deep/c.py": "from segue import asset\n@asset(deps=['outside'], group_name='own')\ndef c(b): ...\n",
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    for name, text in PACKAGE.items():
        file = tmp_path / "shop" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    import shop  # pyright: ignore[reportMissingImports]

    yield shop
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def keys(found: object) -> list[str]:
    assert isinstance(found, list)
    return [
        key.to_user_string()
        for each in found
        for key in ([each.key] if isinstance(each, segue.AssetSpec) else sorted(each.keys))
    ]


def test_a_package_is_searched_to_the_bottom(shop: ModuleType) -> None:
    assert keys(segue.load_assets_from_package_module(shop)) == ["top", "b", "c"]
    assert keys(segue.load_assets_from_package_name("shop")) == ["top", "b", "c"]
    assert keys(segue.load_assets_from_package_name("shop", include_specs=True)) == ["top", "b", "outside", "c"]


def test_a_module_that_is_no_package_stands_alone(shop: ModuleType) -> None:
    segue.load_assets_from_package_module(shop)
    assert keys(segue.load_assets_from_package_module(sys.modules["shop.deep.c"])) == ["c"]


def test_key_prefixes_reach_dependencies(shop: ModuleType) -> None:
    found = segue.load_assets_from_package_module(
        shop, key_prefix="pre", source_key_prefix=["a", "b"], include_specs=True
    )
    assert keys(found) == ["pre/top", "pre/b", "a/b/outside", "pre/c"]
    last = found[-1]
    assert isinstance(last, segue.AssetsDefinition)
    assert {key.to_user_string() for key in last.dependency_keys} == {"a/b/outside", "pre/b"}


def test_a_group_is_given_and_another_one_refused(shop: ModuleType) -> None:
    found = segue.load_assets_from_modules([shop], group_name="sales")
    assert [spec.group_name for each in found for spec in getattr(each, "specs", [])] == ["sales"]
    with pytest.raises(segue.InvalidDefinitionError, match=r"'own'.*'sales'"):
        segue.load_assets_from_package_name("shop", group_name="sales")


def test_a_backfill_policy_is_given(shop: ModuleType) -> None:
    policy = segue.BackfillPolicy.single_run()
    for found in (
        segue.load_assets_from_package_module(shop, backfill_policy=policy),
        segue.load_assets_from_package_name("shop", backfill_policy=policy),
    ):
        assert all(isinstance(each, segue.AssetsDefinition) and each.backfill_policy == policy for each in found)


def test_checks_are_found_and_prefixed(shop: ModuleType) -> None:
    for found in (
        segue.load_asset_checks_from_package_module(shop, asset_key_prefix="pre"),
        segue.load_asset_checks_from_package_name("shop", asset_key_prefix="pre"),
    ):
        assert [each.check_key.to_user_string() for each in found] == ["pre/b:full"]


def test_all_definitions_of_a_package(shop: ModuleType) -> None:
    for defs in (
        segue.load_definitions_from_package_module(shop, resources={"answer": 42}),
        segue.load_definitions_from_package_name("shop", resources={"answer": 42}),
        segue.load_definitions_from_modules(
            [shop, sys.modules["shop.b"], sys.modules["shop.deep.c"]], resources={"answer": 42}
        ),
    ):
        manifest = defs.manifest
        assert [job.name for job in manifest.jobs] == ["nightly"]
        assert [check.name for check in manifest.checks] == ["full"]
        assert {node.key.to_user_string() for node in manifest.assets} == {"top", "b", "outside", "c"}
        assert defs.resources == {"answer": 42}


def test_one_module(shop: ModuleType) -> None:
    defs = segue.load_definitions_from_module(shop)
    assert [key.to_user_string() for key in defs.resolve_all_asset_keys()] == ["top"]


@segue.asset
def standing_here() -> None: ...


@segue.asset_check(asset=standing_here)
def looked_at() -> segue.AssetCheckResult:
    return segue.AssetCheckResult(passed=True)


def test_the_calling_module() -> None:
    assert keys(segue.load_assets_from_current_module(key_prefix="here")) == ["here/standing_here"]
    assert [each.check_key.name for each in segue.load_asset_checks_from_current_module()] == ["looked_at"]
    defs = segue.load_definitions_from_current_module()
    assert [key.to_user_string() for key in defs.resolve_all_asset_keys()] == ["standing_here"]
    assert [check.name for check in defs.manifest.checks] == ["looked_at"]


def test_code_outside_of_a_module_has_no_calling_module() -> None:
    with pytest.raises(segue.InvalidInvocationError, match="must be called from a module"):
        exec("import segue; segue.load_assets_from_current_module()", {"__name__": "nowhere"})


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: segue.load_assets_from_modules(segue), "modules must be a list, got the module 'segue'"),  # type: ignore[arg-type]
        (lambda: segue.load_assets_from_modules(["shop"]), "expected a module, got 'shop'"),  # type: ignore[list-item]
        (lambda: segue.load_asset_checks_from_modules(["shop"]), "expected a module, got 'shop'"),  # type: ignore[list-item]
        (lambda: segue.load_definitions_from_modules(["shop"]), "expected a module, got 'shop'"),  # type: ignore[list-item]
    ],
)
def test_what_is_no_module_is_refused(call: Callable[[], object], complaint: str) -> None:
    with pytest.raises(segue.InvalidInvocationError, match=complaint):
        call()


def test_one_key_at_two_places_is_refused(shop: ModuleType) -> None:
    @segue.asset(name="top")
    def other() -> None: ...

    module = ModuleType("elsewhere")
    vars(module).update(other=other)
    with pytest.raises(segue.InvalidDefinitionError, match=r"'top' is defined at .*shop\.top and at elsewhere\.other"):
        segue.load_assets_from_modules([shop, module])


@pytest.mark.parametrize("what", ["job", "schedule", "sensor"])
def test_one_name_at_two_places_is_refused(what: str) -> None:
    def made() -> object:
        @segue.job(name="nightly")
        def job() -> None: ...

        if what == "job":
            return job
        if what == "schedule":
            return segue.ScheduleDefinition(name="nightly", job=job, cron_schedule="@daily")
        return segue.SensorDefinition(name="nightly", job=job, evaluation_fn=lambda: None)

    module = ModuleType("twofold")
    vars(module).update(first=made(), second=made())
    with pytest.raises(segue.InvalidDefinitionError, match=f"{what} 'nightly' is defined at .*first and at .*second"):
        segue.load_definitions_from_module(module)
    vars(module).update(second=vars(module)["first"])
    assert segue.load_definitions_from_module(module)


def test_definitions_that_a_function_makes() -> None:
    calls: list[int] = []

    @segue.definitions
    def defs() -> segue.Definitions:
        calls.append(1)
        return segue.Definitions(assets=[standing_here])

    assert calls == []
    assert [key.to_user_string() for key in defs().resolve_all_asset_keys()] == ["standing_here"]
    assert calls == [1]


def test_a_definitions_function_of_a_wrong_form_is_refused() -> None:
    with pytest.raises(segue.InvariantViolationError, match=r"defs\(a, b\) must have no parameters"):

        @segue.definitions
        def defs(a: int, b: int) -> segue.Definitions: ...

    @segue.definitions
    def wrong():  # type: ignore[no-untyped-def]
        return 3

    with pytest.raises(segue.InvariantViolationError, match="must return Definitions, got 3"):
        wrong()

    @segue.definitions
    def asking(context: ComponentLoadContext) -> segue.Definitions:  # noqa: F821
        return segue.Definitions()

    with pytest.raises(segue.InvariantViolationError, match="ComponentLoadContext, which was not provided"):
        asking()


def test_a_path_beside_a_file(tmp_path: Path) -> None:
    assert segue.file_relative_path(str(tmp_path / "a" / "b.py"), "../c") == str(tmp_path / "c")
    assert segue.file_relative_path("b.py", "c") == str(Path.cwd() / "c")


def test_a_freshness_policy_and_superseded_policies_are_given_to_all(shop: ModuleType) -> None:
    from segue.compat.dagster import AutoMaterializePolicy, LegacyFreshnessPolicy

    policy = segue.FreshnessPolicy.time_window(timedelta(hours=2))
    found = segue.load_assets_from_package_module(shop, freshness_policy=policy)
    older = segue.load_assets_from_package_module(
        shop,
        auto_materialize_policy=AutoMaterializePolicy.eager(),
        legacy_freshness_policy=LegacyFreshnessPolicy(maximum_lag_minutes=120),
    )

    def declared(assets: Sequence[object]) -> list[segue.AssetSpec]:
        specs = segue.Definitions(assets=assets).resolve_all_asset_specs()
        return [spec for spec in specs if "dagster/auto_created_stub_asset" not in spec.metadata]

    assert {spec.freshness_policy for spec in declared(found)} == {policy}
    for spec in declared(older):
        assert spec.freshness_policy == policy
        assert spec.automation_condition is not None


def test_a_tuple_is_no_list_of_assets_and_a_backfill_policy_replaces_that_of_an_asset() -> None:
    @segue.asset(backfill_policy=segue.BackfillPolicy.single_run())
    def in_list() -> None: ...

    module = ModuleType("listed")
    vars(module).update({"several": [in_list], "pair": (segue.AssetSpec("one"), segue.AssetSpec("two"))})
    policy = segue.BackfillPolicy.multi_run(3)
    (found,) = segue.load_assets_from_modules([module], backfill_policy=policy, include_specs=True)
    assert isinstance(found, segue.AssetsDefinition)
    assert (found.key, found.backfill_policy) == (in_list.key, policy)
