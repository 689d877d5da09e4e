"""The certification gate: what a run must be before a document about it is sealed. No flag goes around it.

`reasons` is a pure function of the facts; `examine` gathers them from a run folder.
Source: docs/formats/certificate.md, "The gate".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from harness.errors import RunFolderError
from harness.evidence import Damage, RunRecord, read_run, verify_evidence
from harness.folder import VERDICTS, SutRecord
from harness.record import Counts, Verdicts, was_relayed
from harness.rejudge import rejudge
from norms.errors import NormError, PoinconError
from norms.i18n import tr
from norms.loader import load
from norms.model import Norm
from norms.publication import require_intact, withdrawn
from reports.errors import GateClosedError
from reports.source import declared
from reports.wording import relayed_sentence
from scenarios.compiler import compile_suite
from scenarios.model import Suite
from scenarios.reader import read_scenarios

SHOWN: Final = 5


@dataclass(frozen=True)
class Facts:
    """What the gate looks at in a run whose evidence is intact.

    partial, stopped: of the run; sut: the declaration as recorded; taken: cases that had their turn; current: the norm
    as installed now, None when it is gone; source: digest of the installed norm's suite before any declaration;
    rejudged: the evidence gives the same verdicts again; today: for the norm's dates; altered: how the installed norm
    is not what was published, "" when it is; relayed: recorded exchanges that the relay carried.
    """

    partial: bool
    stopped: str
    sut: SutRecord
    suite: Suite
    verdicts: Verdicts
    taken: frozenset[str]
    current: Norm | None
    source: str
    rejudged: bool
    today: date
    altered: str = ""
    relayed: int = 0


def pass_gate(folder: Path, today: date) -> None:
    """Raise GateClosedError with every reason that keeps the run in `folder` from being sealed.

    Evidence that is not intact, or a run that is not finished, is the only reason then: nothing else in the folder
    can be believed. Raises RunFolderError when the folder is no run.
    """
    found = tuple(_damaged(verify_evidence(folder))) or tuple(reasons(examine(folder, today)))
    if found:
        raise GateClosedError(found)


def _damaged(damages: Sequence[Damage]) -> Iterator[str]:
    for damage in damages[:SHOWN]:
        yield tr("Les preuves ne sont pas intactes : {damage}", damage=damage)
    if len(damages) > SHOWN:
        yield tr("… et {count} autres dommages.", count=len(damages) - SHOWN)


def examine(folder: Path, today: date) -> Facts:
    """Gather the facts of a finished run. Raises RunFolderError when the folder is none."""
    record = read_run(folder)
    if record.verdicts is None or record.finished is None:
        raise RunFolderError(tr("Ce passage n’est pas terminé."), file=folder)
    current = _installed(record.suite.norm)
    return Facts(
        partial=bool(record.begun.select),
        stopped=record.finished.stopped,
        sut=declared(folder),
        suite=record.suite,
        verdicts=record.verdicts,
        taken=frozenset(entry.case for entry in record.cases),
        current=current,
        source=_source(current, record.suite) if current is not None else "",
        rejudged=_judged_again(record),
        today=today,
        altered=_altered(current) if current is not None else "",
        relayed=sum(was_relayed(exchange) for entry in record.cases for exchange in record.exchanges(entry.case)),
    )


def _installed(ref: str) -> Norm | None:
    try:
        return load(ref)
    except PoinconError:
        return None


def _altered(norm: Norm) -> str:
    try:
        require_intact(norm)
    except NormError as altered:
        return f"{altered.what} {altered.remedy}"
    return ""


def _source(norm: Norm, suite: Suite) -> str:
    return compile_suite(norm, read_scenarios(norm), None, suite.role).source


def _judged_again(record: RunRecord) -> bool:
    try:
        return rejudge(record.folder) == (record.folder / VERDICTS).read_bytes()
    except (OSError, PoinconError):
        return False


def reasons(facts: Facts) -> Iterator[str]:
    """Yield why the gate stays closed, one sentence each; nothing when it opens."""
    yield from _extent(facts)
    yield from _norm(facts)
    yield from _declaration(facts)
    yield from _suite(facts, facts.verdicts)
    yield from _verdicts(facts.verdicts)


def _extent(facts: Facts) -> Iterator[str]:
    if not facts.rejudged:
        yield tr("Jugées de nouveau, les preuves ne donnent pas les mêmes verdicts (autre version de l’outil ?).")
    if facts.partial:
        yield tr("Le passage est partiel : seuls certains cas avaient été choisis.")
    if facts.stopped:
        yield tr("Le passage a été interrompu : {reason}", reason=facts.stopped)
    if facts.relayed:
        yield relayed_sentence(facts.relayed)
    if not facts.sut.certification:
        yield tr("La déclaration annonce un essai sans certification (certification: no).")


def _norm(facts: Facts) -> Iterator[str]:
    norm, suite = facts.current, facts.suite
    if norm is None:
        yield tr("La norme {norm} n’est pas installée ou n’est plus lisible.", norm=suite.norm)
        return
    if norm.revision != suite.revision:
        yield tr(
            "Le passage a éprouvé la révision {old} de la norme ; la révision en cours est {new}.",
            old=suite.revision,
            new=norm.revision,
        )
    elif norm.digest != suite.norm_digest:
        yield tr("Les fichiers de la norme ont changé depuis le passage, sans nouvelle révision.")
    elif facts.source != suite.source:
        yield tr("Les scénarios de la norme ont changé depuis le passage.")
    if facts.altered:
        yield facts.altered
    yield from withdrawn(norm)
    day = facts.today.isoformat()
    if (norm.valid_from and day < norm.valid_from) or (norm.valid_to and day > norm.valid_to):
        yield tr("La norme {norm} n’est pas en vigueur à cette date.", norm=norm.ref)


def _declaration(facts: Facts) -> Iterator[str]:
    norm = facts.current
    if norm is None:
        return
    answers = facts.sut.ics
    for claim in norm.claims:
        answer = answers.get(claim.id, "")
        if not answer:
            yield tr("La déclaration ne répond pas à {claim} : {question}", claim=claim.id, question=claim.question)
        elif answer == "no" and claim.status == "mandatory":
            yield tr(
                "La déclaration répond non à {claim}, que la norme exige : {question}",
                claim=claim.id,
                question=claim.question,
            )
    if norm.profiles and not facts.sut.profiles:
        yield tr("La déclaration ne nomme aucun profil.")


def _suite(facts: Facts, verdicts: Verdicts) -> Iterator[str]:
    if (verdicts.suite, verdicts.norm_digest) != (facts.suite.digest, facts.suite.norm_digest):
        yield tr("Les verdicts ne sont pas ceux de la suite du passage.")
    expected = Counter(case.id for case in facts.suite.cases)
    judged = Counter(case.id for case in verdicts.cases if case.verdict != "not_selected")
    missing = (expected - judged) + Counter(expected.keys() - facts.taken)
    foreign = judged - expected
    if missing:
        yield tr(
            "Cas de la suite qui n’ont pas eu leur tour : {count} ({first}…).", count=len(missing), first=min(missing)
        )
    if foreign:
        yield tr(
            "Verdicts qui ne sont d’aucun cas de la suite : {count} ({first}…).", count=len(foreign), first=min(foreign)
        )


def _verdicts(verdicts: Verdicts) -> Iterator[str]:
    counts = _counted(verdicts)
    if counts != _without_not_selected(verdicts.counts):
        yield tr("Les totaux du passage ne sont pas ceux de ses cas.")
    if counts.fail:
        yield tr("Cas non conformes : {count}.", count=counts.fail)
    if counts.inconclusive:
        yield tr("Cas non concluants : {count}.", count=counts.inconclusive)
    if counts.error:
        yield tr("Incidents du laboratoire : {count}.", count=counts.error)
    explained = bool(counts.fail or counts.inconclusive or counts.error)
    if not counts.passed and not explained:
        yield tr("Aucun cas n’a été exécuté.")
    elif verdicts.verdict != "pass" and not explained:
        yield tr("Le verdict du passage n’est pas « conforme ».")
    for case in verdicts.cases:
        if case.verdict == "not_run" and not case.reason:
            yield tr("Le cas {case} n’a pas été exécuté, sans raison donnée.", case=case.id)
        if case.verdict == "pass" and (not case.checked or any(found.verdict != "remark" for found in case.findings)):
            yield tr("Le cas {case} est dit conforme sans que rien ait été contrôlé.", case=case.id)


def _counted(verdicts: Verdicts) -> Counts:
    number = Counter(case.verdict for case in verdicts.cases)
    return Counts(number["pass"], number["fail"], number["inconclusive"], number["error"], 0, number["not_run"])


def _without_not_selected(counts: Counts) -> Counts:
    return Counts(counts.passed, counts.fail, counts.inconclusive, counts.error, 0, counts.not_run)
