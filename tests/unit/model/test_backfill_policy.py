"""A backfill policy says which kind it is, and how to write it."""

from __future__ import annotations

import pytest

import segue as sg
from segue.compat.lookup import private_name
from segue.model.policies import BackfillPolicyType


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        (sg.BackfillPolicy.single_run(), BackfillPolicyType.SINGLE_RUN),
        (sg.BackfillPolicy.multi_run(), BackfillPolicyType.MULTI_RUN),
        (sg.BackfillPolicy.multi_run(max_partitions_per_run=5), BackfillPolicyType.MULTI_RUN),
    ],
)
def test_a_policy_says_its_kind_and_how_to_write_it(policy: sg.BackfillPolicy, kind: BackfillPolicyType) -> None:
    assert policy.policy_type is kind
    assert eval(str(policy), {"BackfillPolicy": sg.BackfillPolicy}) == policy


def test_its_kind_is_found_where_code_looks_for_it() -> None:
    assert private_name("dagster._core.definitions.backfill_policy", "BackfillPolicyType") is BackfillPolicyType
