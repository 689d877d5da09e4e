"""The bilan: what a reader finds in it, and what a hostile product cannot do to it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html

from harness.record import CaseVerdict, Counts, Place
from norms.model import Always
from reports.bilan import bilan, render, write_bilan
from reports.overview import requirement_rows, requirement_verdict, untested
from reports.subject import Subject
from tests.reports.reports_samples import (
    CASES,
    DIGEST,
    FACTS,
    HOSTILE,
    exchange,
    failing,
    finding,
    norm,
    passing,
    subject,
    suite,
    verdicts,
)

PLACES = [Place("", f"/a/b[{rank}]") for rank in range(4)]
SNAPSHOT = Path(__file__).with_name("bilan.snapshot.txt")


def rendered(told: Subject) -> str:
    return render(bilan(told, "runs/essai"))


def text_of(page: str) -> str:
    """Return what a person reads, one block of text per line."""
    body = html.document_fromstring(page).find("body")
    assert body is not None
    blocks = ("p", "h1", "h2", "h3", "li", "dt", "dd", "th", "td", "summary", "pre")
    lines = [
        " ".join(element.text_content().split())
        for element in body.iter(*blocks)
        if not any(inner.tag in blocks for inner in element.iterdescendants())
    ]
    return "\n".join(line for line in lines if line) + "\n"


def test_the_text_people_read_is_the_one_that_was_approved() -> None:
    assert text_of(rendered(subject())) == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize(("told", "word"), [(failing(), "non conforme"), (passing(), "conforme")])
def test_the_verdict_stands_in_large_words(told: object, word: str) -> None:
    page = html.document_fromstring(rendered(subject(told)))
    assert page.xpath("string(//section[contains(@class, 'verdict')]/p[@class='word'])") == word


def test_an_incident_of_the_laboratory_concludes_nothing() -> None:
    broken = CaseVerdict(
        "ESS-S-001@MED", "ESS-S-001", "error", ("ESS-001",), (finding("ESS-001", "error", "LAB", "x"),)
    )
    page = text_of(rendered(subject(verdicts("error", Counts(error=1), (broken,)))))
    assert "non concluant" in page
    assert "Aucune anomalie n’est mise au compte du produit." in page


def test_a_reconstruction_or_the_sandbox_authority_has_no_legal_value() -> None:
    official = norm(provenance="official")
    real = replace(FACTS, sandbox_authority=False)
    assert "SANS VALEUR D’AGRÉMENT" in rendered(subject(passing()))
    assert "SANS VALEUR D’AGRÉMENT" in rendered(subject(passing(), norm_=official))
    assert "SANS VALEUR D’AGRÉMENT" in rendered(subject(passing(), real))
    assert "SANS VALEUR D’AGRÉMENT" not in rendered(subject(passing(), real, official))


def test_an_official_norm_that_uses_a_reconstruction_is_one() -> None:
    mixed = norm(provenance="official", parents=(norm(id="commun"),))
    assert not subject(norm_=mixed).official


def test_english_readers_get_the_page_in_their_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINCON_LANG", "en")
    assert '<html lang="en">' in rendered(subject())


def test_the_page_is_one_file_without_script_and_says_so_to_the_browser() -> None:
    """T06: the content policy allows the page's own style sheet and nothing else."""
    page = rendered(subject())
    tree = html.document_fromstring(page)
    policy = tree.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    assert base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode() in policy
    assert not tree.xpath(
        "//script | //link | //img | //iframe | //object | //*[@style] | //@*[starts-with(name(), 'on')]"
    )
    assert not tree.xpath("//@src | //@href")


@given(text=st.text(max_size=60))
def test_no_text_of_a_product_becomes_markup(text: str) -> None:
    """T06: whatever the product sends, the page keeps its elements."""
    told = finding("ESS-002", "fail", "SUT", "ESS-S-002@MED", actual=text, expected=text, message=text, params={})
    case = CaseVerdict("ESS-S-002@MED", "ESS-S-002", "fail", ("ESS-002",), (told,))
    hostile = replace(
        subject(verdicts("fail", Counts(fail=1), (case,))),
        exchanges=lambda name: (exchange(name, text.encode("utf-8", "replace")),),
    )
    plain = html.document_fromstring(rendered(hostile))
    assert not plain.xpath("//script | //img | //a")
    assert len(plain.xpath("//article")) == 1


def test_vendor_data_cannot_inject_html_or_drive_a_terminal() -> None:
    """T06."""
    page = rendered(subject())
    assert HOSTILE not in page
    assert "<script" not in page
    assert "\x1b" not in page
    assert "<b>produit</b>" not in page
    assert "&lt;script&gt;" in page


def test_numbers_of_persons_and_secrets_are_hidden() -> None:
    page = rendered(subject())
    assert "1090763220834" not in page
    assert "motdepasse-secret" not in page
    assert "1**********34" in page


def test_a_failure_shows_requirement_expected_actual_and_the_element() -> None:
    page = html.document_fromstring(rendered(subject()))
    article = page.xpath("//article[contains(@class, 'fail')]")[0]
    told = article.text_content()
    for expected in ("Le système DOIT rendre un code", "un code de la table codes-resultat", "le produit éprouvé"):
        assert expected in told
    marked = article.xpath(".//span[contains(@class, 'marked')]")
    assert [element.text_content().split()[1] for element in marked] == ["<q:Code>99</q:Code>"]


def test_the_same_finding_of_two_cases_is_told_once() -> None:
    failures = bilan(subject(), "runs/essai").failures
    assert [[case.id for case in failure.cases] for failure in failures] == [["ESS-S-002@MED", "ESS-S-002@SF"]]


def test_findings_that_differ_in_their_values_only_are_told_once_with_an_example() -> None:
    cases = tuple(
        CaseVerdict(
            f"C-{rank}", f"S-{rank}", "fail", ("ESS-002",),
            (finding("ESS-002", "fail", "SUT", f"C-{rank}", actual=f"code {rank}", location=PLACES[rank]),),
        )
        for rank in range(1, 4)
    )  # fmt: skip
    (failure,) = bilan(subject(verdicts("fail", Counts(fail=3), cases)), "runs/essai").failures
    assert (failure.actual, failure.alike, failure.title) == ("code 1", False, "3 cas concernés")


def test_a_reader_can_repeat_the_failure(tmp_path: Path) -> None:
    page = write_bilan(subject(), tmp_path, "runs/essai").read_text(encoding="utf-8")
    assert "poincon replay runs/essai ESS-S-002@MED" in page
    assert "--data-binary @requests/ESS-S-002-MED-1.1.xml" in page
    sent = (tmp_path / "requests" / "ESS-S-002-MED-1.1.xml").read_bytes()
    assert etree.fromstring(sent).tag.endswith("Envelope")


def test_every_case_that_was_not_executed_has_its_reason() -> None:
    page = text_of(rendered(subject()))
    assert "l’autorité fournie ne peut pas émettre de certificat falsifié" in page
    assert "ICS-SIG : la déclaration répond non" in page


def test_a_large_run_stays_readable() -> None:
    many = tuple(
        CaseVerdict(
            f"C-{rank}",
            f"S-{rank}",
            "fail",
            ("ESS-002",),
            (finding("ESS-002", "fail", "SUT", f"C-{rank}", reason=f"r{rank}"),),
        )
        for rank in range(300)
    )
    told = replace(
        subject(verdicts("fail", Counts(fail=300), many)), exchanges=lambda name: (exchange(name),), suite=suite(CASES)
    )
    page = rendered(told)
    assert page.count('<pre class="code">') <= 80
    assert len(page) < 1_500_000


def test_a_requirement_is_conforme_only_when_a_case_that_cites_it_passed() -> None:
    other = finding("ESS-002", "fail", "SUT", "C")
    stopped = CaseVerdict("C", "S", "fail", ("ESS-001", "ESS-002"), (other,))
    passed = CaseVerdict("D", "S", "pass", ("ESS-001",))
    assert requirement_verdict("ESS-001", [stopped]) == "inconclusive"
    assert requirement_verdict("ESS-001", [stopped, passed]) == "pass"
    assert requirement_verdict("ESS-002", [stopped, passed]) == "fail"
    assert requirement_verdict("ESS-003", [CaseVerdict("E", "S", "not_run", ("ESS-003",))]) == "not_run"


def test_what_is_judged_on_every_answer_counts_as_tested() -> None:
    always = norm(always=(Always("ESS-006", "answered"), Always("ESS-007", "answered", kinds=("OTHER",))))
    told = subject(passing(), norm_=always)
    rows = {row.id: row for row in requirement_rows(told)}
    assert rows["ESS-006"].verdict == "pass"
    assert len(rows["ESS-006"].cases) == len(CASES)
    assert "ESS-007" not in rows
    assert untested(told) == ()


def test_a_requirement_without_any_case_is_listed_with_its_reason() -> None:
    assert [(item.id, item.reason) for item in untested(subject())] == [("ESS-006", "trace interne")]


def test_broken_requirements_come_first() -> None:
    assert [row.id for row in requirement_rows(subject())][:2] == ["ESS-002", "ESS-004"]


def test_digests_bind_the_page_to_the_evidence() -> None:
    page = rendered(subject())
    assert FACTS.evidence_root in page
    assert DIGEST in page


def test_the_same_run_gives_the_same_bytes() -> None:
    assert rendered(subject()) == rendered(subject())
