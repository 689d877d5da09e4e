"""A declaration that `sut init` writes for a vendor leads to a first run and holds nothing that must stay secret."""

from __future__ import annotations

import re
from pathlib import Path

from front_doors import Call

from scenarios.declaration import read_sut


def test_a_vendors_declaration_lacks_only_what_the_vendor_knows(call: Call, tmp_path: Path) -> None:
    assert call("sut", "init", "ville/1.1", "--role", "client", "--data", "labo", "--out", "sut.yaml").code == 0
    told = call("sut", "check", "sut.yaml")
    assert told.code == 2
    assert [line.split(" : ")[0].split()[-1] for line in told.out.splitlines()] == ["ics.ICS-IDB"]
    text = (tmp_path / "sut.yaml").read_text(encoding="utf-8")
    (tmp_path / "sut.yaml").write_text(text.replace("ICS-IDB:", "ICS-IDB: yes"), encoding="utf-8")
    assert "Prêt" in call("sut", "check", "sut.yaml").out


def test_it_can_be_moved_with_its_keys(call: Call, tmp_path: Path) -> None:
    (tmp_path / "conformite").mkdir()
    call("sut", "init", "ville/1.1", "--role", "client", "--data", "conformite/labo", "--out", "conformite/sut.yaml")
    assert str(tmp_path) not in (tmp_path / "conformite" / "sut.yaml").read_text(encoding="utf-8")
    (tmp_path / "conformite").rename(tmp_path / "elsewhere")
    files = read_sut(tmp_path / "elsewhere" / "sut.yaml").laboratory
    assert {"server", "flow"} <= set(files.identities)
    assert all(each.certificate.is_file() and each.key.is_file() for each in files.identities.values())


def test_it_holds_no_person_and_no_secret(call: Call, tmp_path: Path) -> None:
    text = call("sut", "init", "ville/1.1", "--role", "client", "--data", "labo").out
    assert not re.search(r"\b[12]\d{12}", text) and "PRIVATE KEY" not in text
    assert not re.search(r"password: |mot_de_passe", text)
    assert "ni mot de passe" in text and "opérateur" in text


def test_a_client_is_not_asked_for_addresses_or_a_server_certificate(call: Call, tmp_path: Path) -> None:
    text = call("sut", "init", "ville/1.1", "--role", "client", "--data", "labo").out
    assert "endpoints:" not in text and "server_name" not in text
