"""Who is given what: cases, and a machine of claimants beside a naive count."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from segue.model.claims import (
    Claim,
    Claimant,
    ClaimRequest,
    HeldClaim,
    decide_claims,
    fitting_weight,
    partition_resource,
    pool_resource,
)

A, B = pool_resource("a"), pool_resource("b")


def _who(name: str, priority: int = 0) -> Claimant:
    return Claimant(name, None, "worker", priority)


def _wants(name: str, *claims: Claim | str, priority: int = 0) -> ClaimRequest:
    wanted = tuple([Claim(each) if isinstance(each, str) else each for each in claims])
    return ClaimRequest(_who(name, priority), wanted)


def _served(limits: dict[str, int], held: list[tuple[str, str, int]], *waiting: ClaimRequest) -> list[str]:
    holders = [HeldClaim(_who(name), resource, weight) for name, resource, weight in held]
    answers = decide_claims(limits, holders, waiting)
    return [each.claimant.run_id for each, answer in zip(waiting, answers, strict=True) if answer.is_granted]


@pytest.mark.parametrize(
    ("limits", "held", "waiting", "served"),
    [
        pytest.param({}, [("x", A, 99)], [_wants("p", A)], ["p"], id="no limit"),
        pytest.param({A: 2}, [("x", A, 1)], [_wants("p", A), _wants("q", A)], ["p"], id="one slot left"),
        pytest.param({A: 0}, [], [_wants("p", A)], [], id="no slots at all"),
        pytest.param({A: 2}, [], [_wants("p", Claim(A, 5))], ["p"], id="heavier than all slots"),
        pytest.param({A: 2}, [("x", A, 1)], [_wants("p", Claim(A, 5))], [], id="heavier than all, one in use"),
        pytest.param({A: 2}, [("x", A, 5)], [_wants("p", A)], [], id="more in use than there is"),
        pytest.param({}, [("x", A, 1)], [_wants("p", Claim(A, capacity=1))], [], id="capacity of the claim"),
        pytest.param({A: 2}, [("x", A, 1)], [_wants("p", Claim(A, capacity=1))], ["p"], id="a kept limit wins"),
        pytest.param({A: 1}, [], [_wants("p", A), _wants("q", A, priority=1)], ["q"], id="priority"),
        pytest.param({A: 2}, [("x", A, 1)], [_wants("p", Claim(A, 2)), _wants("q", A)], [], id="kept for the heavy"),
        pytest.param({A: 1}, [("x", A, 1)], [_wants("p", A), _wants("q", B)], ["q"], id="another resource is free"),
        pytest.param(
            {A: 1, B: 1}, [("x", A, 1)], [_wants("p", A, B), _wants("q", B)], [], id="kept for who wants both"
        ),
        pytest.param({A: 1, B: 2}, [("x", A, 1)], [_wants("p", A, B), _wants("q", B)], ["q"], id="enough for both"),
    ],
)
def test_who_is_served(
    limits: dict[str, int], held: list[tuple[str, str, int]], waiting: list[ClaimRequest], served: list[str]
) -> None:
    assert _served(limits, held, *waiting) == served


def test_what_blocks_is_told_with_numbers_and_names() -> None:
    held = [HeldClaim(Claimant(f"r{number}", "load", "worker"), A, 1) for number in range(4)]
    answers = decide_claims({A: 4}, held, [_wants("p", Claim(A, 2)), _wants("q", A)])
    assert str(answers[0]) == (
        "the pool 'a' (4 of 4 in use by step load of run r0, step load of run r1, step load of run r2, 1 more; 2 requested)"
    )
    assert "2 reserved for earlier requests; 1 requested" in str(answers[1])
    (answer,) = decide_claims({A: 0}, [], [_wants("p", A)])
    assert str(answer) == "the pool 'a' (it has no slots; 1 requested)"


def test_resources_of_different_kinds_have_different_names() -> None:
    names = {
        pool_resource("x"),
        partition_resource("x", None),
        partition_resource("x", "y"),
    }
    assert len(names) == 3


RESOURCES = ("pool:a", "pool:b", "pool:c")


class Claims(RuleBasedStateMachine):
    """Claimants come, are served, end and give up; a naive count says whether too much was ever given."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: dict[str, int] = {}
        self.held: dict[Claimant, tuple[Claim, ...]] = {}
        self.line: list[ClaimRequest] = []
        self.came = 0

    @initialize(limits=st.dictionaries(st.sampled_from(RESOURCES), st.integers(1, 4)))
    def begin(self, limits: dict[str, int]) -> None:
        self.limits = limits

    @rule(
        wanted=st.dictionaries(st.sampled_from(RESOURCES), st.integers(1, 5), min_size=1),
        priority=st.sampled_from([0, 0, 0, 3]),
    )
    def come(self, wanted: dict[str, int], priority: int) -> None:
        self.came += 1
        claims = tuple([Claim(name, weight) for name, weight in wanted.items()])
        self.line.append(ClaimRequest(_who(f"r{self.came}", priority), claims))

    @rule()
    def serve(self) -> None:
        before = dict(self.held)
        self._serve()
        new = {who: claims for who, claims in self.held.items() if who not in before}
        for resource, limit in self.limits.items():
            given = [claim.weight for claims in new.values() for claim in claims if claim.resource == resource]
            if given:
                # One that asks for more than there is may have all, and then has it alone.
                total = sum(fitting_weight(each, limit) for each in given) + self._used(before, resource)
                assert total <= limit

    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        if self.held:
            del self.held[data.draw(st.sampled_from(sorted(self.held, key=str)))]

    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        if self.line:
            self.line.remove(data.draw(st.sampled_from(self.line)))

    @invariant()
    def the_first_is_served_once_those_ahead_of_it_have_ended(self) -> None:
        """Nobody starves, whoever comes behind; nobody waits in a circle: when no one holds anything, someone is served."""
        if not self.line:
            return
        first = min(self.line, key=lambda each: (-each.claimant.priority, self.line.index(each)))
        answers = decide_claims(self.limits, [], self.line)
        assert answers[self.line.index(first)].is_granted
        # What the first lacks, nobody behind it is given: it can only come nearer.
        held = self._as_held(self.held)
        answers = decide_claims(self.limits, held, self.line)
        lacking = {block.resource for block in answers[self.line.index(first)].blocks}
        for request, answer in zip(self.line, answers, strict=True):
            if answer.is_granted:
                for claim in request.claims:
                    if claim.resource in lacking and claim.resource in self.limits:
                        wanted = next(each.weight for each in first.claims if each.resource == claim.resource)
                        limit = self.limits[claim.resource]
                        assert claim.weight + fitting_weight(wanted, limit) <= limit

    def teardown(self) -> None:
        """Whatever happened: once those who hold end one after another, everybody has been served."""
        for _ in range(len(self.line) + len(self.held) + 1):
            self._serve()
            self.held.clear()
        assert not self.line

    def _serve(self) -> None:
        answers = decide_claims(self.limits, self._as_held(self.held), self.line)
        for request, answer in list(zip(self.line, answers, strict=True)):
            if answer.is_granted:
                self.held[request.claimant] = request.claims
                self.line.remove(request)

    @staticmethod
    def _as_held(held: dict[Claimant, tuple[Claim, ...]]) -> list[HeldClaim]:
        return [HeldClaim(who, each.resource, each.weight) for who, claims in held.items() for each in claims]

    @staticmethod
    def _used(held: dict[Claimant, tuple[Claim, ...]], resource: str) -> int:
        return sum(each.weight for claims in held.values() for each in claims if each.resource == resource)


TestClaims = Claims.TestCase
TestClaims.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
