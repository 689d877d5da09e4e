"""bilan.html: the run told on paper to somebody who was not there. One file, no script, printable on A4.

Source: docs/formats/reports.md; everything is escaped and a content policy allows nothing from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from norms.i18n import language, tr
from reports import overview, wording
from reports.anomalies import Anomaly, CaseRef, anomalies
from reports.reproducer import write_request
from reports.subject import Subject

if TYPE_CHECKING:
    import jinja2

TEMPLATES: Final = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Fact:
    """A line of the identity tables. code: value set in a monospaced face (digests, addresses)."""

    label: str
    value: str
    code: bool = False


@dataclass(frozen=True)
class Unplayed:
    """A case or scenario that was not executed, with the reason."""

    id: str
    title: str
    reason: str


@dataclass(frozen=True)
class Bilan:
    """Everything the template shows, already in words and masked; the template only lays it out."""

    title: str
    subtitle: str
    verdict: str
    word: str
    sentence: str
    relayed: str
    no_value: tuple[str, ...]
    product: tuple[Fact, ...]
    norm: tuple[Fact, ...]
    run: tuple[Fact, ...]
    claims: tuple[Fact, ...]
    tiles: tuple[overview.Tile, ...]
    failures: tuple[Anomaly, ...]
    unsettled: tuple[Anomaly, ...]
    remarks: tuple[Anomaly, ...]
    rows: tuple[overview.RequirementRow, ...]
    untested: tuple[overview.Untested, ...]
    not_run: tuple[Unplayed, ...]
    not_selected: tuple[Unplayed, ...]
    passed: tuple[CaseRef, ...]
    digests: tuple[Fact, ...]
    self_conformance: bool


def write_bilan(subject: Subject, folder: Path, run: str | None = None) -> Path:
    """Write bilan.html, and the requests that its commands send, into the run folder; return the file's path.

    run: the folder as the reader types it in commands (default: the folder's own name).
    """
    view = bilan(subject, run or folder.name)
    for anomaly in (*view.failures, *view.unsettled):
        exchange = subject.exchange(anomaly.cases[0].id, anomaly.finding.location.exchange)
        if anomaly.reproducer.request_file and exchange is not None:
            write_request(folder, exchange)
    target = folder / "bilan.html"
    target.write_text(render(view), encoding="utf-8", newline="\n")
    return target


def bilan(subject: Subject, run: str) -> Bilan:
    """Return the view of a run. run: the run folder as the reader types it in commands."""
    masker = subject.masker
    self_conformance = subject.norm.regime == "self-conformance"
    by_state = {
        state: [case for case in subject.verdicts.cases if case.verdict == state] for state in ("pass", "not_run")
    }
    return Bilan(
        title=tr("Bilan d’auto-conformité") if self_conformance else tr("Bilan de conformité"),
        subtitle=masker(str(subject.norm.title)),
        verdict="inconclusive" if subject.verdicts.verdict == "error" else subject.verdicts.verdict,
        word=overview.verdict_words(subject),
        sentence=overview.verdict_sentence(subject),
        relayed=wording.relayed_sentence(subject.facts.relayed) if subject.facts.relayed else "",
        no_value=wording.no_value_reasons(
            "official" if subject.official else "reconstruction", subject.facts.sandbox_authority
        ),
        product=_product(subject),
        norm=_norm(subject),
        run=_run(subject, run),
        claims=_claims(subject),
        tiles=overview.tiles(subject),
        failures=anomalies(subject, run, "fail"),
        unsettled=anomalies(subject, run, "error", "inconclusive"),
        remarks=anomalies(subject, run, "remark", exchanges=0),
        rows=overview.requirement_rows(subject),
        untested=overview.untested(subject),
        not_run=tuple(Unplayed(case.id, subject.title(case), masker(case.reason)) for case in by_state["not_run"]),
        not_selected=tuple(Unplayed(off.id, "", masker(off.reason)) for off in subject.suite.not_selected),
        passed=tuple(CaseRef(case.id, subject.title(case)) for case in by_state["pass"]),
        digests=_digests(subject),
        self_conformance=self_conformance,
    )


def _product(subject: Subject) -> tuple[Fact, ...]:
    product, masker = subject.facts.product, subject.masker
    return (
        Fact(tr("Éditeur ou organisme"), masker(product.vendor)),
        Fact(tr("Produit"), masker(product.name)),
        Fact(tr("Version"), masker(product.version)),
        Fact(tr("Rôle"), wording.role_words(subject.verdicts.role)),
        Fact(tr("Profils"), ", ".join(_profile(subject, code) for code in subject.facts.profiles) or tr("aucun")),
        *(Fact(tr("Adresse {kind}", kind=kind), masker(url), True) for kind, url in subject.facts.endpoints.items()),
    )


def _profile(subject: Subject, code: str) -> str:
    known = next((profile for profile in subject.norm.profiles if profile.code == code), None)
    return f"{code} ({known.title})" if known is not None else subject.masker(code)


def _norm(subject: Subject) -> tuple[Fact, ...]:
    norm = subject.norm
    validity = wording.day(norm.valid_from)
    if norm.valid_to:
        validity = tr("du {start} au {end}", start=validity, end=wording.day(norm.valid_to))
    else:
        validity = tr("depuis le {start}", start=validity)
    regime = tr("auto-conformité") if norm.regime == "self-conformance" else tr("laboratoire")
    provenance = "official" if subject.official else "reconstruction"
    return (
        Fact(tr("Norme"), str(norm.title)),
        Fact(tr("Version"), tr("{version}, révision {revision}", version=norm.version, revision=norm.revision)),
        Fact(
            tr("État"),
            tr("{status} ; en vigueur {validity}", status=wording.status_words(norm.status), validity=validity),
        ),
        Fact(tr("Provenance"), wording.provenance_words(provenance)),
        Fact(tr("Régime"), regime),
    )


def _run(subject: Subject, run: str) -> tuple[Fact, ...]:
    facts = subject.facts
    authority = tr("autorité d’essai") if facts.sandbox_authority else tr("autorité reconnue par l’association")
    extent = tr("partiel : certains cas seulement étaient choisis") if facts.partial else tr("complet")
    if facts.stopped:
        extent = tr("interrompu : {reason}", reason=subject.masker(facts.stopped))
    return (
        Fact(tr("Passage"), run, True),
        Fact(tr("Début"), wording.moment(facts.started_at)),
        Fact(tr("Fin"), wording.moment(facts.finished_at)),
        Fact(tr("Étendue"), extent),
        Fact(tr("Certificats"), authority),
        Fact(tr("Outil"), subject.masker(facts.tool)),
    )


def _claims(subject: Subject) -> tuple[Fact, ...]:
    questions = {claim.id: claim.question for claim in subject.norm.claims}
    ids = dict.fromkeys((*questions, *subject.facts.claims))
    return tuple(
        Fact(
            f"{claim} – {questions.get(claim, tr('question inconnue de la norme'))}",
            subject.masker(wording.answer_words(subject.facts.claims.get(claim, ""))),
        )
        for claim in ids
    )


def _digests(subject: Subject) -> tuple[Fact, ...]:
    records = wording.whole(subject.facts.evidence_records)
    return (
        Fact(
            tr("Preuves ({count} enregistrements)", count=records),
            subject.facts.evidence_root or tr("non scellées"),
            True,
        ),
        Fact(tr("Suite"), subject.verdicts.suite, True),
        Fact(tr("Norme"), subject.verdicts.norm_digest, True),
    )


def render(view: Bilan) -> str:
    """Return the HTML text of a bilan."""
    css = (TEMPLATES / "bilan.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(f"\n{css}".encode()).digest()).decode()
    template = _environment().get_template("bilan.html.j2")
    return template.render(b=view, css=css, css_digest=digest, lang=language())


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        tr=tr,
        no_value_title=wording.no_value_title,
        verdict_word=wording.verdict_word,
        level_word=wording.level_word,
        severity_word=wording.severity_word,
        blame_words=wording.blame_words,
        outcome_words=wording.outcome_words,
        moment=wording.moment,
        seconds=wording.seconds,
        whole=wording.whole,
    )
    return environment
