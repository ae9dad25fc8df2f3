"""Approvals: what people are asked before a step or a run starts, and what they say."""

from __future__ import annotations

import msgspec


class ApprovalWanted(msgspec.Struct, frozen=True):
    """A step that waits for a person.

    Attributes:
        step_key: the step.
        question: what the person is asked.
    """

    step_key: str
    question: str


class ApprovalAnswer(msgspec.Struct, frozen=True):
    """What a person said.

    Attributes:
        is_given: whether it may start.
        by: who said so.
        text: what they said about it; of one that may not start, why.
    """

    is_given: bool
    by: str
    text: str = ""
