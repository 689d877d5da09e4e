"""A run in which the relay carried something: every report says so, and a run without it says nothing of it."""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from reports.bilan import bilan, render
from reports.junit import junit
from tests.reports.reports_samples import FACTS, subject

RELAYED = subject(facts=replace(FACTS, relayed=2))


def test_the_bilan_says_it_in_large_letters_and_why_it_matters() -> None:
    text = render(bilan(RELAYED, "runs/essai"))
    assert "PASSAGE RELAYÉ" in text
    assert "Échanges relayés : 2." in text
    assert "ne peut pas être certifié" in text
    assert "RELAYÉ" not in render(bilan(subject(), "runs/essai"))


def test_a_ci_server_is_told_how_many() -> None:
    counts = [
        etree.fromstring(junit(told)).find(".//property[@name='relayed']").get("value") for told in (RELAYED, subject())
    ]
    assert counts == ["2", "0"]
