"""`segue pools`: the slots of pools, who holds them and who is waiting; and changing them by hand."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
import msgspec

from segue.cli.home import instance_of, open_store
from segue.cli.options import home_option, json_option, settings_in_force
from segue.cli.output import count, duration, moment, print_json, print_table
from segue.defs.instance import Instance
from segue.errors import InvalidSubsetError
from segue.model.claims import POOL, ClaimFilter, ClaimRecord
from segue.model.stores import Store
from segue.settings import Settings


class ClaimantDocument(msgspec.Struct, frozen=True):
    """A step that holds slots or waits for some; `step` is null for a run as a whole."""

    run_id: str
    step: str | None
    slots: int
    priority: int
    since: float


class PoolDocument(msgspec.Struct, frozen=True):
    """A pool; `limit` is null where it has any number of slots, `is_default` says that the setting is in force."""

    pool: str
    limit: int | None
    is_default: bool
    used: int
    holders: tuple[ClaimantDocument, ...]
    waiting: tuple[ClaimantDocument, ...]


class ClaimDocument(msgspec.Struct, frozen=True):
    """Something that was taken back: `resource` is `pool:NAME`, `partition:ASSET|KEY` or `tag:KEY=VALUE`."""

    run_id: str
    step: str | None
    resource: str
    is_held: bool


class TokensDocument(msgspec.Struct, frozen=True):
    """The tokens of a rate limit; less than none are available where some were taken in advance."""

    available: float
    capacity: int
    per_second: float


class ResourceLimitsDocument(msgspec.Struct, frozen=True):
    """A resource with limits; `circuit` is `closed`, `open` (for as many `seconds`) or `half_open`."""

    resource: str
    circuit: str
    seconds: float
    failures: int
    tokens: tuple[TokensDocument, ...]


@click.group(invoke_without_command=True)
@click.option("--limits", is_flag=True, help="List the rate limits and circuit breakers of resources.")
@home_option
@json_option
@click.pass_context
def pools(context: click.Context, limits: bool, home: str | None, as_json: bool) -> None:
    """List pools with their slots, who holds them and who is waiting; or change them.

    If several steps of a run wait for the same pool, only the next one is listed.

    With --json: {"pools": [...]}, and with --limits {"resources": [...]}.
    """
    if context.invoked_subcommand is not None:
        return
    settings = settings_in_force(home=home)
    with open_store(settings) as store:
        instance = _instance(store, settings)
        if limits:
            _list_limits(instance, as_json=as_json)
            return
        found = _documents(instance)
    if as_json:
        print_json({"pools": found})
        return
    columns = ("POOL", "SLOTS", "USED", "WAITING", "BY WHOM")
    print_table(columns, [row for each in found for row in _rows(each)], empty="No pools.")


@pools.command("set")
@click.argument("name", metavar="NAME")
@click.argument("limit", metavar="LIMIT", type=click.IntRange(min=0))
@home_option
@json_option
def set_limit(name: str, limit: int, home: str | None, as_json: bool) -> None:
    """Set the number of slots of the pool NAME; with 0 its steps wait.

    Steps that hold slots keep them, even if the new limit is smaller.
    """
    settings = settings_in_force(home=home)
    with open_store(settings) as store:
        instance = _instance(store, settings)
        instance.set_pool_limit(name, limit)
        found = next(each for each in _documents(instance) if each.pool == name)
    if as_json:
        print_json(found)
    else:
        click.echo(f"The pool {name} has {count(limit, 'slot')}, {found.used:,} of them used.")


@pools.command()
@click.argument("name", metavar="NAME")
@home_option
@json_option
def delete(name: str, home: str | None, as_json: bool) -> None:
    """Remove the limit of the pool NAME, so that the setting default_pool_limit applies."""
    settings = settings_in_force(home=home)
    with open_store(settings) as store:
        instance = _instance(store, settings)
        if name not in instance.event_log_storage.get_concurrency_keys():
            raise InvalidSubsetError(f"No limit is set for the pool {name!r}. 'segue pools' lists all limits.")
        instance.set_pool_limit(name, None)
        limit = settings.concurrency.default_pool_limit
    if as_json:
        print_json({"pool": name, "limit": limit})
    else:
        slots = "any number of slots" if limit is None else count(limit, "slot")
        click.echo(f"Removed the limit of the pool {name}: it now has {slots}.")


@pools.command()
@click.argument("run", metavar="RUN")
@click.argument("step", metavar="STEP", required=False)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
def free(run: str, step: str | None, yes: bool, home: str | None, as_json: bool) -> None:
    """Release everything that RUN (its id, or the beginning of it) or one STEP of it holds or waits for.

    Slots of dead processes are released automatically. A step that is still running continues while others use its slots.
    """
    with open_store(settings_in_force(home=home)) as store:
        found = _claims_of(store, run, step)
        run_id = found[0].claimant.run_id
        _ask(found, yes=yes)
        store.release_claims(run_id, step)
    claims = [ClaimDocument(run_id, each.claimant.step_key, each.resource, each.is_granted) for each in found]
    if as_json:
        print_json({"freed": claims})
    else:
        click.echo(f"Released {count(len(claims), 'claim')} of run {run_id}.")


def _instance(store: Store, settings: Settings) -> Instance:
    return instance_of(settings, store)


def _list_limits(instance: Instance, *, as_json: bool) -> None:
    found = [
        ResourceLimitsDocument(
            name, each.circuit, each.seconds, each.failures, tuple([TokensDocument(*tokens) for tokens in each.tokens])
        )
        for name, each in instance.resource_limits().items()
    ]
    if as_json:
        print_json({"resources": found})
        return
    columns = ("RESOURCE", "CIRCUIT", "FAILURES", "TOKENS")
    print_table(columns, [_limits_row(each) for each in found], empty="No resource with limits has been called yet.")


def _limits_row(found: ResourceLimitsDocument) -> tuple[str, ...]:
    circuit = found.circuit.replace("_", " ")
    if found.seconds:
        circuit += f" for {duration(found.seconds)}"
    tokens = [f"{each.available:.1f} of {each.capacity}, {each.per_second:g} per second" for each in found.tokens]
    return found.resource, circuit, str(found.failures), "; ".join(tokens)


def _documents(instance: Instance) -> list[PoolDocument]:
    claims = instance.pool_claims()
    found: list[PoolDocument] = []
    for each in instance.event_log_storage.get_pool_limits():
        of_pool = [claim for claim in claims if claim.resource == POOL + each.name]
        holders = [_claimant(claim) for claim in of_pool if claim.is_granted]
        waiting = [_claimant(claim) for claim in of_pool if not claim.is_granted]
        used = sum(holder.slots for holder in holders)
        found.append(PoolDocument(each.name, each.limit, each.from_default, used, tuple(holders), tuple(waiting)))
    return found


def _claimant(claim: ClaimRecord) -> ClaimantDocument:
    who = claim.claimant
    return ClaimantDocument(who.run_id, who.step_key, claim.weight, who.priority, claim.since)


def _rows(pool: PoolDocument) -> list[tuple[str, ...]]:
    """The pool with the first of those it is about, and a line for each of the others."""
    people = [_line(each, "holds") for each in pool.holders] + [_line(each, "waits for") for each in pool.waiting]
    limit = "any number" if pool.limit is None else f"{pool.limit}{' (default)' if pool.is_default else ''}"
    first, *others = people or [""]
    head = (pool.pool, limit, str(pool.used), str(len(pool.waiting)), first)
    return [head, *[("", "", "", "", each) for each in others]]


def _line(who: ClaimantDocument, does: str) -> str:
    step = "" if who.step is None else f" {who.step}"
    return f"{who.run_id}{step} {does} {count(who.slots, 'slot')} since {moment(who.since)}"


def _claims_of(store: Store, run: str, step: str | None) -> Sequence[ClaimRecord]:
    """What a run, or a step of it, holds and waits for: at least one claim.

    Raises:
        InvalidSubsetError: nothing, or several runs begin so.
    """
    records = [each for each in store.claim_records(ClaimFilter()) if each.claimant.run_id.startswith(run)]
    run_ids = sorted({each.claimant.run_id for each in records})
    if run in run_ids:
        run_ids = [run]
    if len(run_ids) > 1:
        raise InvalidSubsetError(f"{len(run_ids)} runs match {run!r}: {', '.join(run_ids[:3])}. Give more of the id.")
    found = [
        each for each in records if each.claimant.run_id in run_ids and (step is None or each.claimant.step_key == step)
    ]
    if not found:
        what = f"Run {run!r}" if step is None else f"Step {step!r} of run {run!r}"
        raise InvalidSubsetError(
            f"{what} holds no slots and is not waiting for any. 'segue pools' lists the runs that do."
        )
    return found


def _ask(found: Sequence[ClaimRecord], *, yes: bool) -> None:
    if yes:
        return
    lines = [
        f"  {each.claimant} {'holds' if each.is_granted else 'waits for'} {each.resource} since {moment(each.since)}"
        for each in found[:20]
    ]
    if len(found) > 20:
        lines.append(f"  and {len(found) - 20:,} more")
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"Releasing {count(len(found), 'claim')} requires confirmation, but there is no terminal. Add --yes."
        )
    click.echo("\n".join(["This takes back:", *lines]), err=True)
    click.confirm("Take it back?", abort=True, err=True)
