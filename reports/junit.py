"""junit.xml: the run for a CI server. Everything that keeps a run from being conforme is red there.

Mapping (docs/formats/reports.md): pass → success; fail → failure; error and inconclusive → error of
that type; not_run and not_selected → skipped. A run that is not conforme without any such case (nothing executed,
partial run) gets an error of its own, so that it is never green.
"""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from harness.record import CaseVerdict, Finding
from norms.i18n import tr
from reports import wording
from reports.anomalies import told
from reports.overview import executed, verdict_sentence
from reports.subject import Subject

NOTHING_TESTED = "nothing-tested"


def write_junit(subject: Subject, target: Path) -> Path:
    """Write the JUnit file of a run; return its path."""
    target.write_bytes(junit(subject))
    return target


def junit(subject: Subject) -> bytes:
    """Return the JUnit document of a run in UTF-8. Times are seconds spent in the exchanges of a case."""
    mask = subject.masker
    name = f"poincon.{subject.verdicts.norm}.{subject.verdicts.role}"
    suite = etree.Element("testsuite", name=name, timestamp=subject.facts.started_at.removesuffix("Z"))
    properties = etree.SubElement(suite, "properties")
    for key, value in _properties(subject):
        etree.SubElement(properties, "property", name=key, value=mask(value))
    total = sum(_case(suite, subject, case) for case in subject.verdicts.cases)
    if subject.verdicts.verdict != "pass" and suite.find("testcase/failure") is None is suite.find("testcase/error"):
        _unexplained(suite, subject)
    suite.set("tests", str(len(suite.findall("testcase"))))
    for count, path in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{path}"))))
    suite.set("time", f"{total:.3f}")
    totals = {key: str(suite.get(key)) for key in ("tests", "failures", "errors", "skipped", "time")}
    root = etree.Element("testsuites", {"name": "poincon", **totals})
    root.append(suite)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _properties(subject: Subject) -> list[tuple[str, str]]:
    facts, verdicts = subject.facts, subject.verdicts
    return [
        ("run", facts.id),
        ("tool", facts.tool),
        ("verdict", verdicts.verdict),
        ("norm", verdicts.norm),
        ("norm.revision", subject.norm.revision),
        ("norm.provenance", "official" if subject.official else "reconstruction"),
        ("role", verdicts.role),
        ("product", f"{facts.product.vendor} {facts.product.name} {facts.product.version}"),
        ("profiles", " ".join(facts.profiles)),
        ("suite.digest", verdicts.suite),
        ("evidence.root", facts.evidence_root),
        ("complete", "true" if facts.complete else "false"),
        ("relayed", str(facts.relayed)),
    ]


def _case(suite: etree._Element, subject: Subject, case: CaseVerdict) -> float:
    mask = subject.masker
    seconds = subject.facts.durations.get(case.id, 0.0) / 1000
    known = subject.cases.get(case.id)
    title = known.title.fr if known is not None else ""
    element = etree.SubElement(
        suite,
        "testcase",
        classname=f"{subject.verdicts.norm}.{subject.verdicts.role}.{mask(case.scenario)}",
        name=mask(f"{case.id} – {title}" if title else case.id),
        time=f"{seconds:.3f}",
    )
    properties = etree.SubElement(element, "properties")
    etree.SubElement(properties, "property", name="norm", value=subject.verdicts.norm)
    for requirement in case.requirements:
        etree.SubElement(properties, "property", name="requirement", value=mask(requirement))
    if known is not None and known.profile:
        etree.SubElement(properties, "property", name="profile", value=mask(known.profile))
    _outcome(element, subject, case)
    if remarks := [finding for finding in case.findings if finding.verdict == "remark"]:
        output = etree.SubElement(element, "system-out")
        output.text = "\n\n".join(_told(subject, finding) for finding in remarks)
    return seconds


def _outcome(element: etree._Element, subject: Subject, case: CaseVerdict) -> None:
    if case.verdict == "pass":
        return
    if case.verdict in ("not_run", "not_selected"):
        reason = case.reason or wording.verdict_word(case.verdict)
        etree.SubElement(element, "skipped", message=subject.masker(reason))
        return
    told_of = [finding for finding in case.findings if finding.verdict == case.verdict]
    failure = etree.SubElement(element, "failure" if case.verdict == "fail" else "error", type=case.verdict)
    failure.set("message", subject.masker(_headline(case, told_of)))
    failure.text = "\n\n".join(_told(subject, finding) for finding in told_of) or subject.masker(case.reason)


def _headline(case: CaseVerdict, findings: list[Finding]) -> str:
    if not findings:
        return case.reason or wording.verdict_word(case.verdict)
    first = findings[0]
    return tr(
        "{requirement} : attendu {expected} ; constaté {actual}",
        requirement=first.requirement,
        expected=first.expected or "–",
        actual=first.actual or "–",
    )


def _told(subject: Subject, finding: Finding) -> str:
    place = finding.location
    lines = (
        (tr("Exigence"), f"{finding.requirement} {finding.sentence}"),
        (tr("Attendu"), finding.expected),
        (tr("Constaté"), " – ".join(filter(None, (finding.actual, told(finding))))),
        (tr("Imputé à"), wording.blame_words(finding.blame)),
        (tr("Emplacement"), f"{place.exchange} {place.path}".strip()),
    )
    return "\n".join(f"{label} : {subject.masker(text)}" for label, text in lines if text)


def _unexplained(suite: etree._Element, subject: Subject) -> None:
    """A run that is not conforme although no case says why: nothing was executed, or it was partial."""
    element = etree.SubElement(suite, "testcase", classname=str(suite.get("name")), name=tr("passage"), time="0.000")
    kind = "partial" if executed(subject) else NOTHING_TESTED
    etree.SubElement(element, "error", type=kind, message=verdict_sentence(subject))
