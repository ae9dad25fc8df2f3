"""Questions that only the user's code can answer, asked of code locations; what they answered is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from segue.location.base import CodeLocation
from segue.model.questions import Answers, OpaqueAnswer, Question

TIMEOUT_SECONDS = 60.0
MOST_KEPT = 100_000


class _Asked(NamedTuple):
    """What is known of one location: under which definitions, the answers, and what is being asked."""

    manifest_hash: str | None
    answers: dict[Question, OpaqueAnswer]
    open: set[Question]


class Questions:
    """Asks, and keeps the answers as long as the definitions stay what they are. An error is told once, and then asked again.

    Attributes:
        wake: called, in any thread, when an answer has come; whoever runs the loop sets it.
    """

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}
        self._lock = threading.Lock()
        self.wake: Callable[[], object] = lambda: None

    def answers(self, location: CodeLocation) -> Answers:
        """What a location has answered."""
        return self._of(location).answers

    def forget_errors(self, location: CodeLocation) -> None:
        """Has what failed asked again."""
        asked = self._of(location)
        with self._lock:
            for question in [question for question, answer in asked.answers.items() if answer.error is not None]:
                del asked.answers[question]

    def ask(self, location: CodeLocation, question: Question, now: float) -> None:
        """Asks, if that is not being done, and returns at once.

        Args:
            location: whose code it is about.
            question: the question.
            now: the moment at which partitions are looked up, in seconds since 1970, UTC.
        """
        asked = self._of(location)
        if question in asked.open:
            return

        def answered(answer: OpaqueAnswer) -> None:
            with self._lock:  # this comes in a thread of the location
                if len(asked.answers) >= MOST_KEPT:
                    del asked.answers[
                        next(iter(asked.answers))
                    ]  # the oldest: a decision may need all the others at once
                asked.answers[question] = answer
                asked.open.discard(question)
            self.wake()

        asked.open.add(question)
        location.answer(question, now, TIMEOUT_SECONDS, answered)

    def _of(self, location: CodeLocation) -> _Asked:
        found, manifest_hash = self._asked.get(location.name), location.state.manifest_hash
        if found is None or found.manifest_hash != manifest_hash:
            found = self._asked[location.name] = _Asked(manifest_hash, {}, set())
        return found
