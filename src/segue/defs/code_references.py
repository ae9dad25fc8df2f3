"""Where assets are declared, as metadata: files and lines on this machine, or places in a repository on the web."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from segue.defs.assets_definition import AssetsDefinition
from segue.errors import InvalidInvocationError, WrongDeclarationError
from segue.model.arguments import require_list
from segue.model.assets import AssetSpec
from segue.model.code_reference import CodeReference, LocalFileCodeReference, UrlCodeReference
from segue.model.metadata import CodeReferencesMetadataValue

CODE_REFERENCES = "dagster/code_references"
Platform: TypeAlias = Literal["github", "gitlab"]
Asset = TypeVar("Asset")

_BRANCH: dict[Platform, str] = {"github": "tree", "gitlab": "-/tree"}


class FilePathMapping(ABC):
    """The path of a local file in a repository. Subclass it for your own rule."""

    @abstractmethod
    def convert_to_source_control_path(self, local_path: Path) -> str:
        """The path from the root of the repository."""


class AnchorBasedFilePathMapping(FilePathMapping):
    """Files stand to each other in the repository as they do here.

    Args:
        local_file_anchor: a file or folder on this machine.
        file_anchor_path_in_repository: the path of the same one from the root of the repository.
    """

    def __init__(self, local_file_anchor: Path, file_anchor_path_in_repository: str) -> None:
        self.local_file_anchor = Path(local_file_anchor)
        self.file_anchor_path_in_repository = file_anchor_path_in_repository

    def convert_to_source_control_path(self, local_path: Path) -> str:
        """The path from the root of the repository."""
        away = os.path.relpath(local_path, self.local_file_anchor)
        return os.path.normpath(os.path.join(self.file_anchor_path_in_repository, away)).replace(os.sep, "/")


def with_source_code_references(assets_defs: Sequence[Asset]) -> Sequence[Asset]:
    """The assets, each with the file and line of its function among its metadata (`dagster/code_references`).

    What has no function (an `AssetSpec`) stays as it is, and references that are there already are kept.
    """
    return [_changed(each, _with_own_source(each)) for each in _assets("with_source_code_references", assets_defs)]


def link_code_references_to_git(
    assets_defs: Sequence[Asset],
    git_url: str,
    git_branch: str,
    file_path_mapping: FilePathMapping,
    platform: Platform | None = None,
) -> Sequence[Asset]:
    """The assets, with references to local files replaced by links to a repository on the web.

    Args:
        assets_defs: assets with references, as `with_source_code_references` adds them.
        git_url: the address of the repository.
        git_branch: the branch, or tag, or commit.
        file_path_mapping: the paths of the files in the repository.
        platform: what serves it, where the address does not say it.

    Raises:
        InvalidInvocationError: it is not clear what serves the repository.
        WrongDeclarationError: `file_path_mapping` is none.
    """
    where = "link_code_references_to_git"
    if not isinstance(file_path_mapping, FilePathMapping):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongDeclarationError(f"{where}: file_path_mapping takes a FilePathMapping, got {file_path_mapping!r}.")
    base = git_base_url(git_url, git_branch, platform)

    def linked(reference: CodeReference) -> CodeReference:
        if not isinstance(reference, LocalFileCodeReference):
            return reference
        path = file_path_mapping.convert_to_source_control_path(Path(reference.file_path))
        line = "" if reference.line_number is None else f"#L{reference.line_number}"
        return UrlCodeReference(url=f"{base}/{path}{line}", label=reference.label)

    def change(references: list[CodeReference]) -> list[CodeReference]:
        return [linked(each) for each in references]

    return [_changed(each, change) for each in _assets(where, assets_defs)]


def git_base_url(url: str, branch: str, platform: Platform | None) -> str:
    """The address below which the files of a branch stand.

    Raises:
        InvalidInvocationError: it is not clear what serves the repository.
    """
    found = platform or next((name for name in _BRANCH if name in url), None)
    if found not in _BRANCH:
        raise InvalidInvocationError(
            f"link_code_references_to_git: the address {url!r} does not say what serves the repository: pass platform='github' "
            f"or 'gitlab'{'' if platform is None else f', not {platform!r}'}."
        )
    return f"{url.removesuffix('/').removesuffix('.git')}/{_BRANCH[found]}/{branch}"


def _assets(where: str, assets: Sequence[Asset]) -> Sequence[Asset]:
    require_list(where, "assets_defs", assets)
    return assets


def _with_own_source(asset: object) -> Callable[[list[CodeReference]], list[CodeReference]]:
    source = asset.source if isinstance(asset, AssetsDefinition) and asset.node_def is not None else None
    if source is None:
        return lambda references: references
    own = LocalFileCodeReference(file_path=os.path.abspath(source.file), line_number=source.line)
    return lambda references: [*references, *([] if own in references else [own])]


def _changed(asset: Asset, change: Callable[[list[CodeReference]], list[CodeReference]]) -> Asset:
    """The asset with other references."""

    def of_spec(spec: AssetSpec) -> AssetSpec:
        known = spec.metadata.get(CODE_REFERENCES)
        before = list(known.code_references) if isinstance(known, CodeReferencesMetadataValue) else []
        after = change(before)
        if after == before:
            return spec
        return spec.replace_attributes(
            metadata={**spec.metadata, CODE_REFERENCES: CodeReferencesMetadataValue(code_references=after)}
        )

    if isinstance(asset, AssetSpec):
        return of_spec(asset)
    if isinstance(asset, AssetsDefinition) and asset.specs_by_key:
        return asset.map_asset_specs(of_spec)
    return asset
