"""`PipesClient`: what starts external processes, as a resource."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any

from segue.defs.context import OpExecutionContext
from segue.defs.results import MaterializeResult
from segue.defs.signature import PlainResource
from segue.errors import InvariantViolationError
from segue.execute.pipes.handler import PipesExecutionResult
from segue.execute.pipes.protocol import PipesExtras
from segue.execute.pipes.session import PipesSession
from segue.model.checks import AssetCheckResult
from segue.model.metadata import AnyMetadataValue, normalize_metadata


class PipesClient(PlainResource, abc.ABC):
    """Starts an external process for a step and waits for it. A parameter of an asset that is annotated with a client takes
    it as a resource. Subclass it for processes of your own, with `open_pipes_session`."""

    @abc.abstractmethod
    def run(
        self, *, context: OpExecutionContext, extras: PipesExtras | None = None, **kwargs: Any
    ) -> PipesClientCompletedInvocation:
        """Starts the process and waits until it has ended.

        Args:
            context: of the step.
            extras: additional plain data for the process.
            kwargs: arguments for the client.
        """


class PipesClientCompletedInvocation:
    """An external process that has ended.

    Args:
        session: the talk with it.
        metadata: what to add to each of its materializations.
    """

    def __init__(self, session: PipesSession, metadata: Mapping[str, object] | None = None) -> None:
        self._session = session
        self.metadata: Mapping[str, AnyMetadataValue] = normalize_metadata(metadata)

    def get_results(self, *, implicit_materializations: bool = True) -> Sequence[PipesExecutionResult]:
        """The results that the process reported, for the step to return: materializations and check results.

        Args:
            implicit_materializations: whether assets of the step count as materialized if the process did not
                report on them.
        """
        return tuple(
            self._session.get_results(implicit_materializations=implicit_materializations, metadata=self.metadata)
        )

    def get_materialize_result(self, *, implicit_materialization: bool = True) -> MaterializeResult[Any]:
        """The one materialization, with the check results in it.

        Args:
            implicit_materialization: whether the asset counts as materialized if the process did not report on it.

        Raises:
            InvariantViolationError: there is none, or there are several.
        """
        results = self.get_results(implicit_materializations=implicit_materialization)
        made = [each for each in results if isinstance(each, MaterializeResult)]
        if len(made) != 1:
            raise InvariantViolationError(
                f"The external process reported {len(made) or 'no'} materializations, but "
                "get_materialize_result() requires exactly one: use get_results()."
            )
        (only,) = made
        checks = [each for each in results if isinstance(each, AssetCheckResult)]
        return MaterializeResult(
            asset_key=only.asset_key,
            metadata=only.metadata,
            check_results=[*only.check_results, *checks],
            data_version=only.data_version,
            tags=only.tags,
        )

    def get_asset_check_result(self) -> AssetCheckResult:
        """The one check result.

        Raises:
            InvariantViolationError: there is none, or there are several results.
        """
        results = self.get_results(implicit_materializations=False)
        if len(results) != 1 or not isinstance(results[0], AssetCheckResult):
            raise InvariantViolationError(
                f"The external process reported {len(results)} results, but get_asset_check_result() requires "
                "exactly one check result: use get_results()."
            )
        return results[0]

    def get_custom_messages(self) -> Sequence[Any]:
        """The messages of the process by `report_custom_message`, in order."""
        return self._session.get_custom_messages()
