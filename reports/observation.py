"""What was observed in a recording, as lines for people: findings first, then the indicators.

Source: docs/formats/observe.md. Everything that comes from the recording was masked where it was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from harness.observation.result import Grouped, Observation
from norms.i18n import language, tr
from reports.masking import printable
from reports.wording import blame_words, moment, run_verdict_word, seconds, verdict_word, whole

SHOWN: Final = 40


def report_lines(seen: Observation) -> Iterator[str]:
    """Yield the report."""
    yield from (printable(line) for line in _lines(seen))


def _lines(seen: Observation) -> Iterator[str]:
    amiss = [each for each in seen.findings if each.finding.verdict != "remark"]
    remarks = [each for each in seen.findings if each.finding.verdict == "remark"]
    for each in (*amiss, *remarks)[:SHOWN]:
        yield from _finding(each)
        yield ""
    hidden = max(0, len(seen.findings) - SHOWN)
    if hidden or seen.omitted:
        yield tr("… et {more} autres sortes de constats : voir --json.", more=whole(hidden + seen.omitted))
        yield ""
    yield from _about(seen)
    yield from _messages(seen)
    yield from _times(seen)
    yield from _codes(seen)
    yield from _claims(seen)
    yield from _unrecognised(seen)
    yield ""
    yield _verdict(seen)


def _finding(each: Grouped) -> Iterator[str]:
    finding = each.finding
    yield tr(
        "{norm} {kind}, {side} : {verdict}, {count} fois",
        norm=each.norm,
        kind=each.kind,
        side=_side(each.side),
        verdict=verdict_word(finding.verdict),
        count=whole(each.count),
    )
    if finding.requirement:
        yield f"  {tr('Exigence')}  {finding.requirement}  {finding.sentence}"
    else:
        yield f"  {tr('Exigence')}  {tr('le schéma ou la structure que la norme donne à ce message')}"
    yield f"  {tr('En cause')}  {_blamed(each)}"
    for example in each.examples:
        name = f" ({example.name})" if example.name else ""
        at = f", {example.at}" if example.at else ""
        yield f"  {tr('échange {number}', number=example.exchange)}{name}{at}, {example.url}"
        line = f" ({tr('ligne')} {example.line})" if example.line else ""
        yield f"    {tr('Attendu')}   {example.expected}"
        yield f"    {tr('Constaté')}  {example.actual} {example.path}{line}".rstrip()


def _blamed(each: Grouped) -> str:
    if each.finding.blame != "SUT":
        return blame_words(each.finding.blame)
    return tr("qui a envoyé la demande") if each.side == "request" else tr("qui a envoyé la réponse")


def _side(side: str) -> str:
    return tr("demande") if side == "request" else tr("réponse")


def _about(seen: Observation) -> Iterator[str]:
    counts = seen.counts
    period = tr(", du {first} au {last}", first=moment(seen.first), last=moment(seen.last)) if seen.first else ""
    yield tr("{file} – échanges : {count}{period}", file=seen.recording, count=whole(counts.exchanges), period=period)
    yield tr(
        "  reconnus : {known} ({norms}) – non reconnus : {unknown} – sans réponse : {unanswered}",
        known=whole(counts.recognised),
        norms=", ".join(seen.norms) or tr("aucune norme"),
        unknown=whole(counts.unrecognised),
        unanswered=whole(counts.unanswered),
    )
    yield tr(
        "  messages jugés : {messages} – valides : {valid}, non valides : {invalid}, non concluants : {unclear}, "
        "incidents du laboratoire : {error}",
        messages=whole(counts.messages),
        valid=whole(counts.valid),
        invalid=whole(counts.invalid),
        unclear=whole(counts.inconclusive),
        error=whole(counts.error),
    )
    if counts.beneficiaries:
        yield tr(
            "  bénéficiaires dont les échanges sont jugés ensemble : {count} (ces règles supposent que "
            "l'enregistrement les contient tous)",
            count=whole(counts.beneficiaries),
        )
    if counts.not_together:
        yield tr(
            "  bénéficiaires qui ont trop d'échanges pour être jugés ensemble : {count}",
            count=whole(counts.not_together),
        )
    yield "  " + (tr("signatures jugées") if seen.signatures else tr("signatures non jugées (--anchors)"))
    if seen.ignored:
        kinds = ", ".join(f"{name} {whole(count)}" for name, count in seen.ignored.items())
        yield tr("  enregistrements laissés de côté : {kinds}", kinds=kinds)


def _messages(seen: Observation) -> Iterator[str]:
    rows = [
        (each.norm, each.kind, _side(each.side), whole(each.messages), whole(each.valid), _percent(each.share))
        for each in seen.messages
    ]
    yield from _table((tr("norme"), tr("message"), tr("sens"), tr("jugés"), tr("valides"), tr("part valide")), rows)


def _times(seen: Observation) -> Iterator[str]:
    rows = [
        (each.norm, each.kind, whole(each.answers), seconds(each.median_ms), seconds(each.p95_ms))
        for each in seen.times
    ]
    yield from _table((tr("norme"), tr("message"), tr("réponses"), tr("médiane"), tr("95e centile")), rows)


def _codes(seen: Observation) -> Iterator[str]:
    rows = [(each.norm, each.kind, tr("refus"), each.code, whole(each.count)) for each in seen.refusals]
    rows += [(each.norm, each.kind, tr("faute"), each.code, whole(each.count)) for each in seen.faults]
    yield from _table((tr("norme"), tr("message"), tr("issue"), tr("code"), tr("nombre")), rows)


def _claims(seen: Observation) -> Iterator[str]:
    rows = [
        (each.norm, each.kind, whole(each.claims), whole(each.answered), whole(each.rejected), _percent(each.share))
        for each in seen.claims
    ]
    header = (tr("norme"), tr("facture"), tr("déposées"), tr("répondues"), tr("rejetées"), tr("rejets par facture"))
    yield from _table(header, rows)


def _unrecognised(seen: Observation) -> Iterator[str]:
    rows = [(whole(each.count), tr(each.reason), each.what) for each in seen.unrecognised]
    yield from _table((tr("non reconnus"), tr("raison"), tr("adresse")), rows)


def _verdict(seen: Observation) -> str:
    if seen.verdict == "pass":
        return tr("Tous les messages jugés respectent la norme.")
    if seen.verdict == "fail":
        return tr("Des messages ne respectent pas la norme.")
    if seen.counts.recognised == 0:
        return tr("Rien n'a été reconnu : rien ne peut être conclu.")
    return tr("Verdict : {verdict}.", verdict=run_verdict_word(seen.verdict))


def _percent(share: float | None) -> str:
    if share is None:
        return "–"
    # Never rounded up to all of them.
    text = f"{int(share * 10_000) / 100:.2f}"
    return f"{text}%" if language() == "en" else f"{text.replace('.', ',')}\u202f%"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    lines = [tuple(header), *map(tuple, rows)]
    if len(lines) == 1:
        return
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    yield ""
    for line in (lines[0], tuple("-" * width for width in widths), *lines[1:]):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
