"""What a sealed document says, and its XML: the certificate, and the signed bilan of a norm of self-conformance.

The two have another namespace, root, title and numbering, so that neither can be taken for the other; the bilan has no
period of validity. Source: docs/formats/certificate.md, certificate.xsd, self-declaration.xsd.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Literal

import msgspec
from lxml import etree

from harness.record import Counts
from norms.i18n import tr_in
from reports.errors import ReportError

FOLDER: Final = Path(__file__).parent
NOT_MEASURED: Final = "non mesuré"
NO_VALUE: Final = "SANS VALEUR D’AGRÉMENT"


class Form(msgspec.Struct, frozen=True):
    """What tells one kind of sealed document from the other. prefix: of its numbers; names: of its own elements."""

    kind: Literal["certificate", "self-declaration"]
    namespace: str
    root: str
    prefix: str
    title: str
    number: str
    by: str
    at: str
    dated: bool

    @property
    def tag(self) -> str:
        """The root element's qualified name in lxml's notation."""
        return f"{{{self.namespace}}}{self.root}"

    @property
    def identifier(self) -> str:
        """The value of the root's Id, which the signature refers to."""
        return self.kind

    @property
    def file(self) -> str:
        """The usual name of the document beside its run."""
        return f"{self.kind}.xml"

    @property
    def schema(self) -> Path:
        """The XSD of the document."""
        return FOLDER / f"{self.kind}.xsd"


CERTIFICATE: Final = Form(
    kind="certificate",
    namespace="urn:poincon:certificate:1",
    root="Certificate",
    prefix="IAMC",
    title="Certificat de conformité aux normes inter AMC",
    number="Serial",
    by="Issuer",
    at="IssuedAt",
    dated=True,
)
SELF_DECLARATION: Final = Form(
    kind="self-declaration",
    namespace="urn:poincon:self-declaration:1",
    root="SelfDeclaration",
    prefix="BILAN",
    title="Bilan d’auto-conformité : déclaration de l’éditeur, qui n’est pas un certificat",
    number="Reference",
    by="Declarant",
    at="DeclaredAt",
    dated=False,
)
FORMS: Final = {form.tag: form for form in (CERTIFICATE, SELF_DECLARATION)}


class KillRate(msgspec.Struct, frozen=True):
    """How many seeded faults the suite finds. variants: conformant variants tried; false_alarms: of those, refused."""

    killed: int
    total: int
    variants: int
    false_alarms: int
    tool: str


class Content(msgspec.Struct, frozen=True):
    """Everything that a sealed document says. Texts are in French whoever issues it.

    number: IAMC-… or BILAN-…; by: issuer or declarant; at, started_at, finished_at: RFC 3339 UTC; valid_from /
    valid_until: ISO dates, "" in a self-declaration; reserve: reasons of « SANS VALEUR D’AGRÉMENT », empty when it has
    value; claims: (id, answer); not_run: (case, reason); evidence_root: RFC 6962 Merkle root in hex over
    evidence_records leaves; kill_rate: None when not measured on this very suite.
    """

    kind: Literal["certificate", "self-declaration"]
    number: str
    by: str
    at: str
    valid_from: str
    valid_until: str
    reserve: tuple[str, ...]
    vendor: str
    product: str
    version: str
    role: str
    norm_id: str
    norm_version: str
    norm_revision: str
    norm_title: str
    norm_status: str
    provenance: str
    norm_digest: str
    suite_digest: str
    profiles: tuple[str, ...]
    claims: tuple[tuple[str, str], ...]
    counts: Counts
    remarks: int
    kill_rate: KillRate | None
    not_run: tuple[tuple[str, str], ...]
    run: str
    started_at: str
    finished_at: str
    evidence_records: int
    evidence_root: str
    tool: str

    @property
    def form(self) -> Form:
        """The form of this document."""
        return CERTIFICATE if self.kind == "certificate" else SELF_DECLARATION


_COUNTS: Final = (
    ("Pass", "passed"),
    ("Fail", "fail"),
    ("Inconclusive", "inconclusive"),
    ("Error", "error"),
    ("NotSelected", "not_selected"),
    ("NotRun", "not_run"),
)


def to_xml(content: Content) -> etree._Element:
    """Return the unsigned document, indented. Raises ReportError when a value does not fit the schema."""
    form = content.form
    build = _Builder(form.namespace)
    root = etree.fromstring(f'<{form.root} xmlns="{form.namespace}" Id="{form.identifier}"/>')
    build.text(root, "Title", form.title)
    if content.reserve:
        reserve = build.element(root, "Reserve")
        build.text(reserve, "Notice", NO_VALUE)
        for reason in content.reserve:
            build.text(reserve, "Reason", reason)
    build.text(root, form.number, content.number)
    build.text(root, form.by, content.by)
    build.text(root, form.at, content.at)
    if form.dated:
        build.text(root, "ValidFrom", content.valid_from)
        build.text(root, "ValidUntil", content.valid_until)
    build.texts(
        root, "Product", Vendor=content.vendor, Name=content.product, Version=content.version, Role=content.role
    )
    build.texts(
        root,
        "Norm",
        Id=content.norm_id,
        Version=content.norm_version,
        Revision=content.norm_revision,
        Title=content.norm_title,
        Status=content.norm_status,
        Provenance=content.provenance,
        Digest=content.norm_digest,
    )
    build.texts(root, "Suite", Digest=content.suite_digest)
    declaration = build.element(root, "Declaration")
    for profile in content.profiles:
        build.text(declaration, "Profile", profile)
    for claim, answer in content.claims:
        build.text(declaration, "Claim", answer).set("Ref", claim)
    build.text(root, "Verdict", tr_in("fr", "conforme"))
    figures = {name: str(getattr(content.counts, field)) for name, field in _COUNTS}
    build.texts(root, "Counts", **figures, Remarks=str(content.remarks))
    _kill_rate(build, root, content.kill_rate)
    not_run = build.element(root, "NotRun")
    for case, reason in content.not_run:
        build.text(not_run, "Case", reason).set("Ref", case)
    build.texts(
        root,
        "Evidence",
        Run=content.run,
        StartedAt=content.started_at,
        FinishedAt=content.finished_at,
        Records=str(content.evidence_records),
        Root=content.evidence_root,
    )
    build.text(root, "Tool", content.tool)
    etree.indent(root)
    return root


def _kill_rate(build: _Builder, root: etree._Element, rate: KillRate | None) -> None:
    if rate is None:
        build.texts(root, "KillRate", NotMeasured=NOT_MEASURED)
        return
    build.texts(
        root,
        "KillRate",
        Killed=str(rate.killed),
        Total=str(rate.total),
        Variants=str(rate.variants),
        FalseAlarms=str(rate.false_alarms),
        Tool=rate.tool,
    )


class _Builder:
    """Appends elements of one namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def element(self, parent: etree._Element, name: str) -> etree._Element:
        return etree.SubElement(parent, f"{{{self._namespace}}}{name}")

    def text(self, parent: etree._Element, name: str, text: str) -> etree._Element:
        element = self.element(parent, name)
        try:
            element.text = " ".join(text.split())
        except ValueError as bad:
            raise ReportError(f"{name}: {bad}") from bad
        return element

    def texts(self, parent: etree._Element, name: str, /, **texts: str) -> None:
        element = self.element(parent, name)
        for child, text in texts.items():
            self.text(element, child, text)


@cache
def schema(form_kind: str) -> etree.XMLSchema:
    """Return the compiled schema of a kind of document ("certificate" or "self-declaration")."""
    form = CERTIFICATE if form_kind == "certificate" else SELF_DECLARATION
    return etree.XMLSchema(etree.parse(form.schema))


def from_xml(root: etree._Element) -> Content:
    """Return the content of a document that its schema accepts, comments refused beforehand.

    Give it only an element whose signature was verified: it believes what it reads. Raises KeyError for another root.
    """
    form = FORMS[str(root.tag)]

    def text(path: str) -> str:
        steps = "/".join(f"{{{form.namespace}}}{step}" for step in path.split("/"))
        return root.findtext(steps, default="")

    def every(path: str) -> list[etree._Element]:
        return root.findall("/".join(f"{{{form.namespace}}}{step}" for step in path.split("/")))

    counts = Counts(**{field: int(text(f"Counts/{name}")) for name, field in _COUNTS})
    rate = None
    if not text("KillRate/NotMeasured"):
        rate = KillRate(
            killed=int(text("KillRate/Killed")),
            total=int(text("KillRate/Total")),
            variants=int(text("KillRate/Variants")),
            false_alarms=int(text("KillRate/FalseAlarms")),
            tool=text("KillRate/Tool"),
        )
    return Content(
        kind=form.kind,
        number=text(form.number),
        by=text(form.by),
        at=text(form.at),
        valid_from=text("ValidFrom"),
        valid_until=text("ValidUntil"),
        reserve=tuple(reason.text or "" for reason in every("Reserve/Reason")),
        vendor=text("Product/Vendor"),
        product=text("Product/Name"),
        version=text("Product/Version"),
        role=text("Product/Role"),
        norm_id=text("Norm/Id"),
        norm_version=text("Norm/Version"),
        norm_revision=text("Norm/Revision"),
        norm_title=text("Norm/Title"),
        norm_status=text("Norm/Status"),
        provenance=text("Norm/Provenance"),
        norm_digest=text("Norm/Digest"),
        suite_digest=text("Suite/Digest"),
        profiles=tuple(profile.text or "" for profile in every("Declaration/Profile")),
        claims=tuple((claim.get("Ref", ""), claim.text or "") for claim in every("Declaration/Claim")),
        counts=counts,
        remarks=int(text("Counts/Remarks")),
        kill_rate=rate,
        not_run=tuple((case.get("Ref", ""), case.text or "") for case in every("NotRun/Case")),
        run=text("Evidence/Run"),
        started_at=text("Evidence/StartedAt"),
        finished_at=text("Evidence/FinishedAt"),
        evidence_records=int(text("Evidence/Records")),
        evidence_root=text("Evidence/Root"),
        tool=text("Tool"),
    )
