"""`poincon relay` as it is typed: what it refuses, in words that say what to write instead, and what it opens."""

from __future__ import annotations

import http.client
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from foreign_clients import relay
from front_doors import Call, Practice
from lxml import etree

from norms.loader import load
from poincon.practice import practice_declaration

URL = "https://localhost:1"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Nommez la norme avec --norm"),
        (("--norm", "ville/1.1"), "Dites où porter les demandes"),
        (("--norm", "ville/9.9", "--to", URL), "ville/9.9"),
        (("--norm", "commun/1.0", "--to", URL), "n'a pas de service"),
        (("--norm", "ville/1.1", "--to", "http://localhost:1"), "n'est pas une adresse où porter"),
        (("--norm", "ville/1.1", "--to", "https://moi:secret@localhost:1"), "n'est pas une adresse où porter"),
        (("--norm", "ville/1.1", "--to", "https://[::1"), "n'est pas une adresse où porter"),
        (("--norm", "ville/1.1", "--to", "https://hôte:1/"), "n'est pas une adresse où porter"),
        (("--norm", "ville/1.1", "--to", "IDB="), "n'est pas une adresse où porter"),
        (("--norm", "ville/1.1", "--to", f"XYZ={URL}"), "« XYZ » n'est pas un message de ville/1.1"),
        (("--norm", "ville/1.1", "--to", URL, URL), "qu'une adresse de base"),
        (("--norm", "ville/1.1", "--to", URL, "--listen", "8080"), "n'est pas hôte:port"),
        (("--norm", "ville/1.1", "--to", URL, "--listen", "127.0.0.1:99999"), "n'est pas hôte:port"),
        (("--norm", "ville/1.1", "--to", URL, "--listen", "0.0.0.0:0"), "--allow-remote"),
        (("--norm", "ville/1.1", "--to", URL, "--authority", "absente.pem"), "n'est pas une autorité utilisable"),
        (("--norm", "ville/1.1", "--to", URL, "--timeout", "jamais"), "n'est pas un nombre de secondes"),
    ],
)
def test_a_clumsy_command_is_told_what_to_write(
    arguments: tuple[str, ...], sentence: str, call: Call, practice: Practice
) -> None:
    told = call("relay", *arguments)
    assert (told.code, told.out) == (2, "")
    assert sentence in told.err


def test_a_session_without_fixed_addresses_is_told_which_lines_to_write(
    call: Call, practice: Practice, tmp_path: Path
) -> None:
    file = tmp_path / "editeur.yaml"
    file.write_text(practice_declaration(load("ville/1.1"), {}, practice.pki, "client"), encoding="utf-8")
    told = call("relay", "--sut", file)
    assert told.code == 2
    assert all(text in told.err for text in ("editeur.yaml", 'listen: "127.0.0.1:9443"', 'public_url: "http://'))
    assert "pas de biologie/1.0" in call("relay", "--sut", file, "--norm", "biologie/1.0").err


def test_a_declaration_of_role_server_lends_its_identities_and_its_addresses(
    practice: Practice, tmp_path: Path
) -> None:
    sut = practice.declared(tmp_path / "sut.yaml")
    message = etree.parse(load("ville/1.1").root / "messages" / "IDB.request.xml")
    message.find(".//{*}DateReference").text = date.today().isoformat()
    with relay(practice.environment, "--sut", str(sut)) as said:
        assert sorted(said["endpoints"]) == ["CLC", "IDB"]
        place = urlsplit(said["endpoints"]["IDB"])
        connection = http.client.HTTPConnection(place.netloc, timeout=30)
        connection.request("POST", place.path, etree.tostring(message), {"Content-Type": "application/soap+xml"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
    assert (answer.status, answer.getheader("Poincon-Relay")) == (200, "1"), body


def test_the_address_of_one_service_is_as_good_as_the_base_below_it(practice: Practice) -> None:
    target = practice.sandbox.endpoints("", "ville/1.1")["CLC"]
    with relay(practice.environment, "--norm", "ville/1.1", "--to", target) as said:
        place = urlsplit(said["endpoints"]["IDB"])
        connection = http.client.HTTPConnection(place.netloc, timeout=30)
        connection.request("POST", place.path, b"<a/>", {"Content-Type": "application/soap+xml"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
    assert (answer.status, b"SOA-01" in body) == (400, True), body
