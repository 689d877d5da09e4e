"""Issuing a sealed document about a run: gate, number, content, seal, register, in this order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from lxml import etree

from norms.errors import SecurityRefusal
from norms.i18n import speaking, tr
from norms.wire.keys import Identity
from norms.wire.trust import check_chain
from reports import wording
from reports.certificate import CERTIFICATE, SELF_DECLARATION, Content, Form, schema, to_xml
from reports.errors import ReportError, SealError
from reports.gate import pass_gate
from reports.kill import KillRecord, kill_rate_for
from reports.register import START, Issue, Register, open_register
from reports.seal import ALGORITHMS, SEAL_KIND, check_seal, sealed
from reports.source import recognised_authorities, subject_of
from reports.subject import Subject

VALIDITY: Final = timedelta(days=730)


@dataclass(frozen=True)
class Issued:
    """A document that was issued. path: its file; content: what it says."""

    path: Path
    content: Content


def certify(
    run: Path,
    seal: Identity,
    data: Path,
    target: Path | None = None,
    kill_record: KillRecord | None = None,
    now: datetime | None = None,
) -> Issued:
    """Seal a document about the run in folder `run`; return it.

    A norm of regime laboratory gives a certificate, one of self-conformance a signed bilan. data: folder of the
    register; target: file to write, or the folder of one with the usual name – certificate.xml, self-declaration.xml
    (default: <number>.xml in the run folder); kill_record: of this suite, when
    measured; now: aware, default the clock. Raises GateClosedError with every reason, SealError, RegisterError,
    ReportError, RunFolderError.
    """
    at = (now or datetime.now(UTC)).replace(microsecond=0)
    pass_gate(run, at.date())
    check_seal(seal, at)
    with speaking("fr"), open_register(data) as register:
        subject = subject_of(run)
        content = _content(subject, seal, register, kill_record, at)
        document = to_xml(content)
        _check_schema(content.form, document)
        digest = hashlib.sha256(etree.tostring(document, method="c14n")).hexdigest()
        file = sealed(document, seal, at)
        path = target or run / f"{content.number}.xml"
        if path.is_dir():
            path /= content.form.file
        if path.exists():
            raise ReportError(tr("Le fichier {file} existe déjà : un document scellé n’est pas remplacé.", file=path))
        register.append(_issue(content, digest))
        try:
            path.write_bytes(file)
        except OSError as failed:
            raise ReportError(tr("Le fichier {file} ne peut pas être écrit.", file=path)) from failed
    return Issued(path, content)


def facts_of(subject: Subject, form: Form) -> Content:
    """Return what the run itself says in a document of that form; number, issuer, dates and reserve are left empty."""
    facts, norm, verdicts, mask = subject.facts, subject.norm, subject.verdicts, subject.masker
    return Content(
        kind=form.kind,
        number="",
        by="",
        at="",
        valid_from="",
        valid_until="",
        reserve=(),
        vendor=mask(facts.product.vendor),
        product=mask(facts.product.name),
        version=mask(facts.product.version),
        role=verdicts.role,
        norm_id=norm.id,
        norm_version=norm.version,
        norm_revision=norm.revision,
        norm_title=norm.title.fr,
        norm_status=norm.status,
        provenance="official" if subject.official else "reconstruction",
        norm_digest=verdicts.norm_digest,
        suite_digest=verdicts.suite,
        profiles=facts.profiles,
        claims=tuple((claim, wording.answer_words(answer)) for claim, answer in sorted(facts.claims.items())),
        counts=verdicts.counts,
        remarks=len(subject.findings("remark")),
        kill_rate=None,
        not_run=tuple((case.id, mask(case.reason)) for case in verdicts.cases if case.verdict == "not_run"),
        run=facts.id,
        started_at=facts.started_at,
        finished_at=facts.finished_at,
        evidence_records=facts.evidence_records,
        evidence_root=facts.evidence_root,
        tool=facts.tool,
    )


def _content(
    subject: Subject, seal: Identity, register: Register, kill_record: KillRecord | None, at: datetime
) -> Content:
    form = SELF_DECLARATION if subject.norm.regime == "self-conformance" else CERTIFICATE
    start, end = at.date(), _last_day(subject, seal, at)
    known = (seal.chain[-1] if seal.chain else seal.certificate).issuer.rfc4514_string()
    test_seal = not _recognised_seal(seal)
    return msgspec.structs.replace(
        facts_of(subject, form),
        number=register.next_number(form.prefix, subject.norm.id, at.year),
        by=f"{seal.subject} ({known})" if form.dated else subject.masker(subject.facts.product.vendor),
        at=at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        valid_from=start.isoformat() if form.dated else "",
        valid_until=end.isoformat() if form.dated else "",
        reserve=wording.no_value_reasons(
            "official" if subject.official else "reconstruction", subject.facts.sandbox_authority or test_seal
        ),
        kill_rate=kill_rate_for(subject.suite, kill_record),
    )


def _last_day(subject: Subject, seal: Identity, at: datetime) -> date:
    """Return the end of validity: two years, but neither past the seal's certificate nor past the norm's own end."""
    ends = [(at + VALIDITY).date(), seal.certificate.not_valid_after_utc.date() - timedelta(days=1)]
    if subject.norm.valid_to:
        ends.append(date.fromisoformat(subject.norm.valid_to))
    last = min(ends)
    if last < at.date():
        raise SealError(tr("Le certificat du sceau {name} expire trop tôt.", name=seal.name))
    return last


def _recognised_seal(seal: Identity) -> bool:
    authorities = recognised_authorities()
    if authorities is None:
        return False
    try:
        check_chain(
            seal.certificate,
            seal.chain,
            authorities,
            SEAL_KIND,
            seal.certificate.not_valid_before_utc,
            ALGORITHMS,
        )
    except SecurityRefusal:
        return False
    return True


def _check_schema(form: Form, document: etree._Element) -> None:
    """The schema asks for a signature; a placeholder stands for it before the seal exists."""
    trial = etree.fromstring(etree.tostring(document))
    etree.SubElement(trial, "{http://www.w3.org/2000/09/xmldsig#}Signature")
    try:
        schema(form.kind).assertValid(trial)
    except etree.DocumentInvalid as bad:
        raise ReportError(
            tr("Ce passage contient une valeur qu’un document scellé n’admet pas : {why}", why=bad)
        ) from bad


def _issue(content: Content, digest: str) -> Issue:
    return Issue(
        seq=0,
        prev=START,
        number=content.number,
        kind=content.kind,
        at=content.at,
        norm=f"{content.norm_id}/{content.norm_version}",
        role=content.role,
        vendor=content.vendor,
        product=content.product,
        version=content.version,
        suite=content.suite_digest,
        evidence=content.evidence_root,
        digest=digest,
    )
