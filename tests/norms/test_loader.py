from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_norm import NORM, REQUIREMENTS, SECURITY, SOCLE, write_norms

from norms import cache
from norms.errors import NormError
from norms.loader import available, load
from norms.model import Norm

Make = Callable[..., Norm]


def test_whole_norm_is_read(make_norm: Make) -> None:
    norm = make_norm()
    assert (norm.ref, str(norm.title), norm.status, norm.regime) == (
        "emprunt/1.0",
        "Emprunt de livres",
        "draft",
        "laboratory",
    )
    assert norm.prefixes == {
        "s": "urn:test:socle",
        "soap": "http://www.w3.org/2003/05/soap-envelope",
        "e": "urn:test:emprunt",
    }
    service = norm.service("EMP")
    assert service is not None
    assert (service.soap, service.request.element, service.headers) == ("1.2", "e:Demande", ("s:Contexte",))
    assert [requirement.id for requirement in norm.requirements] == ["EMP-001", "EMP-002", "EMP-003", "EMP-004"]
    assert norm.requirements[2].applies_if == "ICS-A"
    assert norm.requirements[2].line == 4
    assert norm.claims[0].requirements == ("EMP-003",)
    assert norm.extra_values[0].secret
    assert norm.fill == {"//e:Lecteur": "${lecteur}"}


def test_what_parents_give_is_merged(make_norm: Make) -> None:
    norm = make_norm()
    assert [path.name for path in norm.schemas] == ["emprunt.xsd", "socle.xsd"]
    assert {name: path.parent.parent.parent.name for name, path in norm.tables.items()} == {
        "genres": "emprunt",
        "pays": "socle",
    }
    assert [parent.ref for parent in norm.parents] == ["socle/1.0"]
    assert norm.security.name == "signe"
    assert norm.security.limits.depth == 20
    assert norm.security.kinds["client"].key_usage == ("digital_signature",)
    assert norm.security.refusals["schema"].http == 400


def test_names_and_folders_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_norms(tmp_path / "norms")
    assert available([root]) == ["emprunt/1.0", "socle/1.0"]
    assert load(str(root / "emprunt" / "1.0"), []).ref == "emprunt/1.0"
    with pytest.raises(NormError, match="inconnue"):
        load("emprunt/1.0")
    monkeypatch.setenv("POINCON_NORMS", str(root))
    assert load("emprunt/1.0").root == root / "emprunt" / "1.0"
    with pytest.raises(NormError) as caught:
        load("emprnt/1.0")
    assert "« emprunt/1.0 »" in caught.value.remedy


def replaced(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


WRONG: list[tuple[str, str | None, str, int]] = [
    ("emprunt/1.0/norm.yaml", replaced(NORM, "status: draft", "statut: draft"), "statut", 5),
    ("emprunt/1.0/norm.yaml", replaced(NORM, "status: draft", "status: brouillon"), "brouillon", 5),
    ("emprunt/1.0/norm.yaml", replaced(NORM, "uses: [socle/1.0]", "uses: [socle/9.9]"), "socle/9.9", 8),
    ("emprunt/1.0/norm.yaml", replaced(NORM, "security: signe", "security: absent"), "absent", 9),
    ("emprunt/1.0/norm.yaml", replaced(NORM, "half-up", "half"), "half", 10),
    ("emprunt/1.0/norm.yaml", replaced(NORM, "[schema/emprunt.xsd]", "[schema/autre.xsd]"), "autre.xsd", 14),
    ("emprunt/1.0/norm.yaml", replaced(NORM, '"e:Demande", action', '"x:Demande", action'), "x:Demande", 16),
    ("emprunt/1.0/norm.yaml", replaced(NORM, '    version: "1.0"\n', ""), "vont ensemble", 16),
    ("emprunt/1.0/norm.yaml", replaced(NORM, "EMP-001, check", "EMP-999, check"), "EMP-999", 35),
    ("emprunt/1.0/norm.yaml", replaced(NORM, "2020-01-01", "2020-02-30"), "2020-02-30", 7),
    ("emprunt/1.0/requirements.csv", None, "n'existe pas", 0),
    ("emprunt/1.0/ics.csv", None, "n'existe pas", 0),
    ("emprunt/1.0/requirements.csv", replaced(REQUIREMENTS, ";severity", ""), "severity", 1),
    ("emprunt/1.0/requirements.csv", replaced(REQUIREMENTS, "EMP-002;", "EMP-001;"), "deux fois", 3),
    ("emprunt/1.0/requirements.csv", replaced(REQUIREMENTS, "SHOULD", "DEVRAIT"), "DEVRAIT", 5),
    ("emprunt/1.0/ics.csv", "id;question_fr;status;requirements\nI;Q;optional;EMP-404\n", "EMP-404", 2),
    ("emprunt/1.0/ixit.csv", "name;question_fr;example;secret\nc;Q;1;peut-être\n", "peut-être", 2),
    ("socle/1.0/security.yaml", replaced(SECURITY, "signer: client", "signer: carte"), "carte", 5),
    ("socle/1.0/security.yaml", replaced(SECURITY, "  schema: {", "  shema: {"), "shema", 10),
    ("socle/1.0/security.yaml", replaced(SECURITY, '"1.2"', '"1.1"'), "1.1", 3),
    ("socle/1.0/security.yaml", replaced(SECURITY, "depth: 20", "profondeur: 20"), "profondeur", 6),
    ("socle/1.0/norm.yaml", SOCLE + "uses: [emprunt/1.0]\n", "elle-même", 0),
]


@pytest.mark.parametrize(("file", "text", "what", "line"), WRONG)
def test_wrong_norm_is_refused_with_file_and_line(
    make_norm: Make, file: str, text: str | None, what: str, line: int
) -> None:
    with pytest.raises(NormError) as caught:
        make_norm({file: text})
    assert caught.value.file.replace("\\", "/").endswith(Path(file).name)
    assert what in caught.value.what
    assert caught.value.line == line


def test_second_load_comes_from_the_cache(make_norm: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    norm = make_norm()

    def unexpected(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("norms.loader.read_norm_file", unexpected)
    assert make_norm() == norm


def test_change_of_a_parent_is_noticed(make_norm: Make) -> None:
    before = make_norm()
    after = make_norm({"socle/1.0/security.yaml": SECURITY.replace("depth: 20", "depth: 21")})
    assert after.security.limits.depth == 21
    assert after.digest != before.digest


@pytest.mark.parametrize("damage", [b"", b"\x00" * 40, b"changed"])
def test_damaged_cache_is_rebuilt(make_norm: Make, own_cache: Path, damage: bytes) -> None:
    norm = make_norm()
    entries = list((own_cache / "norms").glob("*.msgpack"))
    assert len(entries) == 2
    for entry in entries:
        changed = entry.read_bytes().replace(b"Socle", b"Sacle").replace(b"livres", b"lavres")
        entry.write_bytes(changed if damage == b"changed" else damage)
    assert make_norm() == norm
    assert cache.recall(entries[0].stem) is not None


def test_cache_that_cannot_be_written_costs_nothing(make_norm: Make, own_cache: Path) -> None:
    own_cache.write_text("a file where the folder should be")
    assert make_norm().ref == "emprunt/1.0"


def test_cache_keeps_a_bounded_number_of_entries(own_cache: Path, make_norm: Make) -> None:
    norm = make_norm()
    for number in range(cache.KEPT + 5):
        cache.keep(f"{number:064x}", norm)
    assert len(list((own_cache / "norms").iterdir())) == cache.KEPT


def test_bundled_norms_load() -> None:
    for ref in available():
        assert load(ref).ref == ref
