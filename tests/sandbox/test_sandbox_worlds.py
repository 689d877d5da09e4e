"""Worlds: each has its own state, faults and variants; descriptions; the sandbox in a process of its own."""

from __future__ import annotations

from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import etree
from sandbox_caller import Caller

from norms.check import checker_for
from norms.errors import UsageError
from norms.model import Norm
from norms.wire.soap import serialize
from norms.wire.verify import verify
from sandbox.mutants import mutants
from sandbox.pki import TestPki
from sandbox.serve import Sandbox, Specification, World, spawn


def engagement(caller: Caller, invoice: str) -> str:
    return caller.call("CLC", {"//clc:NumeroFacture": invoice}).text("NumeroEngagement")


def test_each_world_has_its_own_state(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.add_world("left", World())
    sandbox.add_world("right", World())
    left, right = caller.in_world("left"), caller.in_world("right")
    first = engagement(left, "700000001")
    assert engagement(left, "700000002") != first
    assert engagement(left, "700000001") == first
    # The same number under another content is refused only where it is known.
    changed = {"//clc:NumeroFacture": "700000001", "//clc:NatureAssurance": "MA"}
    assert left.call("CLC", changed).text("Code") == "09"
    assert right.call("CLC", changed).text("Code") == "00"


def test_each_world_has_its_own_replay_memory(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.add_world("replay-a", World())
    here = caller.in_world("replay-a")
    body = here.secured("IDB", here.message("IDB"))
    assert here.post("IDB", body).status == 200
    assert here.post("IDB", body).error == "ASS-10"
    assert caller.post("IDB", body).error == "ASS-07"


def test_a_fault_stays_in_its_world(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.add_world("faulty", World(faults=("F-GEN-05",)))
    assert caller.in_world("faulty").call("IDB").status == 201
    assert caller.call("IDB").status == 200


def test_an_unknown_fault_is_named_with_the_nearest(sandbox: Sandbox) -> None:
    with pytest.raises(UsageError, match="F-GEN-0"):
        sandbox.add_world("wrong", World(faults=("F-GEN-0X",)))


def test_the_directory_gives_addresses_of_its_own_world(sandbox: Sandbox, directory: Caller) -> None:
    sandbox.add_world("routed", World())
    answer = directory.in_world("routed").unsecured("ADR")
    assert answer.text("valeur") == sandbox.endpoints("routed")["IDB"]


@pytest.mark.parametrize("kind", ["IDB", "CLC"])
def test_every_answer_of_every_variant_conforms(sandbox: Sandbox, caller: Caller, kind: str, ville: Norm) -> None:
    from datetime import UTC, datetime

    from norms.behaviour import load
    from norms.parsing import parse

    service = ville.service(kind)
    assert service is not None
    for variant in load(ville).variants:
        sandbox.add_world("variant", World(variants=(variant.id,)))
        answer = caller.in_world("variant").call(kind)
        assert answer.status == 200, variant.id
        root = parse(answer.body, ville.security.limits)
        assert checker_for(ville).check(root, kind, "response", confirm=True) == [], variant.id
        verify(root, ville, service, "response", sandbox.pki.anchors(), datetime.now(UTC))


def test_a_variant_changes_what_travels(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.add_world("chunked", World(variants=("V-DECOUPE", "V-PREFIXES")))
    answer = caller.in_world("chunked").call("IDB")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert b"<soap:Envelope" not in answer.body


def test_mutants_are_many_and_always_the_same(ville: Norm) -> None:
    first, again, other = mutants(ville, 1), mutants(ville, 1), mutants(ville, 2)
    assert [fault.id for fault in first] == [fault.id for fault in again] == [fault.id for fault in other]
    values = [[change.parameters for change in fault.changes] for fault in first]
    assert values == [[change.parameters for change in fault.changes] for fault in again]
    assert values != [[change.parameters for change in fault.changes] for fault in other]
    assert len(first) > 60


def test_a_mutant_is_served(pki: TestPki, ville: Norm) -> None:
    mutant = next(fault for fault in mutants(ville, 3) if fault.title.fr.endswith("com:Libelle retiré"))
    with Sandbox([ville], pki.folder.parent, worlds={"m": World(faults=(mutant.id,))}, mutant_seed=3) as running:
        plain = Caller(running, ville)
        assert plain.call("IDB").text("Libelle")
        assert not plain.in_world("m").call("IDB").text("Libelle")


def get(caller: Caller, url: str) -> tuple[int, bytes]:
    place = urlsplit(url)
    connection = HTTPSConnection(place.hostname or "", place.port, context=caller.context(), timeout=20)
    try:
        connection.request("GET", f"{place.path}?{place.query}")
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_the_description_names_real_addresses(caller: Caller) -> None:
    url = caller.url("IDB")
    status, document = get(caller, f"{url}?wsdl")
    tree = etree.fromstring(document)
    assert status == 200
    assert tree.xpath("//*[local-name() = 'address']/@location") == [url]
    for location in tree.xpath("//@schemaLocation"):
        assert location.startswith(f"{url}?xsd=")
        assert get(caller, location)[0] == 200


@pytest.mark.parametrize("query", ["xsd=../norm.yaml", "xsd=%2e%2e/security.yaml", "xsd=", "xsd=none.xsd"])
def test_h05_only_schemas_are_published(caller: Caller, query: str) -> None:
    assert get(caller, f"{caller.url('IDB')}?{query}")[0] == 404


def test_zeep_reads_the_description_and_calls_the_directory(sandbox: Sandbox, directory: Caller) -> None:
    zeep = pytest.importorskip("zeep")
    requests = pytest.importorskip("requests")
    session = requests.Session()
    session.trust_env = False
    certificate, key = sandbox.pki.laboratory_identities()["tls-software"]
    session.cert, session.verify = (str(certificate), str(key)), str(sandbox.pki.authority)
    with session:
        client = zeep.Client(f"{directory.url('ADR')}?wsdl", transport=zeep.Transport(session=session))
        asked = directory.message("ADR").find(".//parametres")
        answer = client.service.search(parametres=as_dict(asked))
        assert answer["resultat"]["code"] == "00"
        assert answer["adresses"]["adresse"][0]["valeur"] == sandbox.endpoints()["IDB"]


def as_dict(node: etree._Element | None) -> object:
    assert node is not None
    if not len(node):
        return node.text
    return {str(child.tag): as_dict(child) if child.tag != "item" else [child.text] for child in node}


def test_zeep_reads_the_descriptions_of_signed_services(sandbox: Sandbox, caller: Caller) -> None:
    zeep = pytest.importorskip("zeep")
    requests = pytest.importorskip("requests")
    session = requests.Session()
    session.trust_env = False
    certificate, key = sandbox.pki.laboratory_identities()["tls"]
    session.cert, session.verify = (str(certificate), str(key)), str(sandbox.pki.authority)
    with session:
        for kind in ("IDB", "CLC"):
            client = zeep.Client(f"{caller.url(kind)}?wsdl", transport=zeep.Transport(session=session))
            service = caller.norm.service(kind)
            assert service is not None
            assert service.operation in client.service._operations


def test_a_sandbox_in_a_process_of_its_own(pki: TestPki, ville: Norm) -> None:
    wanted = Specification(("ville/1.1",), str(pki.folder.parent), worlds={"x": World(faults=("F-GEN-05",))})
    with spawn(wanted) as spawned:
        caller = Caller(spawned, ville)
        assert caller.call("IDB").status == 200
        assert caller.in_world("x").call("IDB").status == 201
    with pytest.raises(ConnectionError):
        caller.post("IDB", serialize(caller.message("IDB")))


def test_a_child_that_cannot_start_is_an_error(pki: TestPki, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError):
        spawn(Specification(("nowhere/9.9",), str(pki.folder.parent)))
    assert "nowhere/9.9" in capfd.readouterr().err


def test_the_sandbox_frees_its_port(pki: TestPki, ville: Norm, tmp_path: Path) -> None:
    first = Sandbox([ville], pki.folder.parent)
    first.start()
    port = urlsplit(first.endpoints()["IDB"]).port or 0
    first.stop()
    with Sandbox([ville], pki.folder.parent, port=port) as second:
        assert urlsplit(second.endpoints()["IDB"]).port == port
