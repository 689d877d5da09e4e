"""The registry: each name of `scenarios.vocabulary.CHECKS` with its function and the stage it needs."""

from __future__ import annotations

from typing import Final

from harness.checks import answers, called, messages, series, told, values
from harness.checks.base import Check
from harness.observed import Stage

_ALL: Final = (
    Check("answered", answers.answered, Stage.HTTP),
    Check("http-status", answers.http_status, Stage.HTTP),
    Check("within-ms", answers.within_ms, Stage.HTTP),
    Check("valid", messages.valid, Stage.MESSAGE),
    Check("signed", messages.signed, Stage.MESSAGE),
    Check("correlated", messages.correlated, Stage.MESSAGE),
    Check("action", messages.action, Stage.MESSAGE),
    Check("version", messages.version, Stage.MESSAGE),
    Check("called-at", called.called_at, Stage.HTTP),
    Check("peer", called.peer, Stage.HTTP),
    Check("excludes", values.excludes, Stage.MESSAGE),
    Check("accepted", answers.accepted, Stage.MESSAGE),
    Check("fault", answers.fault, Stage.MESSAGE),
    Check("fault-class", answers.fault_class, Stage.MESSAGE),
    Check("refused", answers.refused, Stage.MESSAGE),
    Check("schema-accepted", answers.schema_accepted, Stage.MESSAGE),
    Check("result", answers.result, Stage.NORMAL),
    Check("in-table", values.in_table, Stage.NORMAL),
    Check("code", values.code, Stage.NORMAL),
    Check("equals", values.equals, Stage.NORMAL),
    Check("only", values.only, Stage.NORMAL),
    Check("differs", values.differs, Stage.NORMAL),
    Check("amount", values.amount, Stage.NORMAL),
    Check("matches", values.matches, Stage.NORMAL),
    Check("near-now", values.near_now, Stage.NORMAL),
    Check("not-before", values.not_before, Stage.NORMAL),
    Check("present", values.present, Stage.NORMAL),
    Check("absent", values.absent, Stage.NORMAL),
    Check("count", values.count, Stage.NORMAL),
    Check("same-as-step", series.same_as_step, Stage.NORMAL),
    Check("differs-from-step", series.differs_from_step, Stage.NORMAL),
    Check("unique-across-parallel", series.unique_across_parallel, Stage.NORMAL, whole_step=True),
    Check("consistent-across-parallel", series.consistent_across_parallel, Stage.NORMAL, whole_step=True),
    Check("arrived", series.arrived, Stage.NOTHING, whole_step=True),
    Check("absent-next", series.absent_next, Stage.NOTHING, whole_step=True),
    Check("outcome", told.outcome, Stage.NOTHING, whole_step=True),
    Check("shown", told.shown, Stage.NOTHING, whole_step=True),
)

CHECKS: Final[dict[str, Check]] = {check.name: check for check in _ALL}
REFUSALS: Final = frozenset({"fault", "fault-class", "refused"})
"""Checks that expect the answer to be no normal one."""
TOLERANT: Final = frozenset({"answered", "http-status", "within-ms", "schema-accepted", "excludes"})
"""Checks that any answer may meet: beside them alone, a fault is no surprise."""
