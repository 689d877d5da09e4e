"""Faults: each operator does what it says, and every seeded fault shows in at least one exchange."""

from __future__ import annotations

import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path

import pytest
from lxml import etree
from sandbox_caller import Caller

from norms.behaviour import Behaviour, Change, load
from norms.behaviour.expressions import Expression
from norms.behaviour.operators import OPERATORS
from norms.errors import NormError, SecurityRefusal
from norms.model import Norm
from norms.wire.deviations import DEVIATIONS
from norms.wire.soap import serialize
from norms.wire.verify import verify
from norms.yamlfile import Node
from sandbox.faults import change_tree
from sandbox.serve import Sandbox, World
from sandbox.writing import rename_prefixes


@pytest.fixture(scope="module")
def behaviour(ville: Norm) -> Behaviour:
    return load(ville)


def change(norm: Norm, operator: str, **parameters: str) -> Change:
    values = {name.rstrip("_"): value for name, value in parameters.items()}
    paths = {
        name: Expression(norm, Node(value, 1, Path("faults.yaml"), name, NormError), ())
        for name, value in values.items()
        if name in ("at", "from", "with")
    }
    return Change(OPERATORS[operator], values, paths)


def changed(norm: Norm, operator: str, request: etree._Element | None = None, **parameters: str) -> etree._Element:
    root = etree.parse(norm.root / "messages" / "CLC.response.xml").getroot()
    change_tree(root, change(norm, operator, **parameters), norm, request)
    return root


def texts(norm: Norm, root: etree._Element, path: str) -> list[str]:
    return [node.text or "" for node in root.xpath(path, namespaces=norm.prefixes)]


def test_set_text(ville: Norm) -> None:
    root = changed(ville, "set-text", at="//com:Resultat/com:Code", value="77")
    assert texts(ville, root, "//com:Resultat/com:Code") == ["77"]


def test_copy_text(ville: Norm) -> None:
    root = changed(ville, "copy-text", at="//clc:TotalAMC", from_="//clc:TotalFacture")
    assert texts(ville, root, "//clc:TotalAMC") == ["30.00"]


def test_copy_request(ville: Norm) -> None:
    request = etree.parse(ville.root / "messages" / "CLC.request.xml").getroot()
    root = changed(ville, "copy-request", request, at="//com:Libelle", from_="//com:Nir")
    assert texts(ville, root, "//com:Libelle") == ["1090763220834"]


def test_remove(ville: Norm) -> None:
    assert texts(ville, changed(ville, "remove", at="//clc:Engagement"), "//clc:Engagement") == []


@pytest.mark.parametrize(("place", "index"), [("first", 0), ("last", 4), ("before", 2), ("after", 3)])
def test_insert(ville: Norm, place: str, index: int) -> None:
    at = "//clc:ReponseCLC" if place in ("first", "last") else "//clc:Engagement"
    root = changed(ville, "insert", at=at, xml="<com:Extension/>", place=place)
    payload = root.find(".//clc:ReponseCLC", ville.prefixes)
    assert payload is not None
    names = [etree.QName(child).localname for child in payload]
    assert names.index("Extension") == (5 if place == "last" else index)


def test_duplicate(ville: Norm) -> None:
    assert len(texts(ville, changed(ville, "duplicate", at="//clc:Ligne"), "//clc:Ligne")) == 2


def test_rename(ville: Norm) -> None:
    root = changed(ville, "rename", at="//clc:TotalAMC", to="com:Extension")
    assert len(texts(ville, root, "//com:Extension")) == 1


def test_set_attribute(ville: Norm) -> None:
    root = changed(ville, "set-attribute", at="//clc:Ligne", name="Numero", value="9")
    assert root.xpath("string(//clc:Ligne/@Numero)", namespaces=ville.prefixes) == "9"


def test_shift_amount_is_exact(ville: Norm) -> None:
    root = changed(ville, "shift-amount", at="//clc:TotalAMC", by="0.01")
    assert texts(ville, root, "//clc:TotalAMC") == ["9.01"]


def test_shift_date(ville: Norm) -> None:
    root = changed(ville, "shift-date", at="//clc:DateExpiration", days="-30")
    assert texts(ville, root, "//clc:DateExpiration") == ["2026-11-20"]


def test_swap(ville: Norm) -> None:
    root = changed(ville, "swap", at="//clc:Lignes", with_="//clc:Totaux")
    payload = root.find(".//clc:ReponseCLC", ville.prefixes)
    assert payload is not None
    assert [etree.QName(child).localname for child in payload][-2:] == ["Totaux", "Lignes"]


def test_an_operator_that_finds_nothing_changes_nothing(ville: Norm) -> None:
    for operator, parameters in (("remove", {}), ("duplicate", {}), ("set-text", {"value": "x"})):
        root = changed(ville, operator, at="//clc:Inconnu", **parameters)
        assert serialize(root) == serialize(etree.parse(ville.root / "messages" / "CLC.response.xml").getroot())


def with_fault(sandbox: Sandbox, caller: Caller, *faults: str) -> Caller:
    sandbox.add_world("fault", World(faults=faults))
    return caller.in_world("fault")


def of_operator(behaviour: Behaviour, operator: str, word: str = "") -> str:
    return next(
        fault.id
        for fault in behaviour.faults
        for change in fault.changes
        if change.operator.name == operator and (not word or word in change.parameters.values())
    )


@pytest.mark.parametrize(
    ("word", "identity"),
    [("none", None), ("expired", "tls-expired"), ("revoked", "tls-revoked"), ("untrusted", "tls-other-authority")],
)
def test_accept_tls(sandbox: Sandbox, caller: Caller, behaviour: Behaviour, word: str, identity: str | None) -> None:
    here = with_fault(sandbox, caller, of_operator(behaviour, "accept-tls", word))
    answer = here.post("IDB", here.secured("IDB", here.message("IDB")), identity=identity)
    assert answer.status == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        caller.post("IDB", b"<a/>", identity=identity)


def test_every_refusal_of_security_has_a_fault_that_forgets_it(
    sandbox: Sandbox, caller: Caller, behaviour: Behaviour
) -> None:
    """One world per security fault: at least one wrong message that it concerns gets in."""
    faults = [
        (fault, {reason for change in fault.changes for reason in change.reasons})
        for fault in behaviour.faults
        if any(change.operator.name == "accept-without" for change in fault.changes)
    ]
    request = {name: item for name, item in DEVIATIONS.items() if "request" in item.directions}
    forgotten = set()
    for name, deviation in request.items():
        if name == "assertion-replayed":
            continue
        for fault, reasons in faults:
            if deviation.reasons & reasons:
                here = with_fault(sandbox, caller, fault.id)
                if here.call("IDB", deviation=name).status == 200:
                    forgotten.add(name)
                    break
    assert forgotten == set(request) - {"assertion-replayed"}


def test_accept_without_replay(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    here = with_fault(sandbox, caller, of_operator(behaviour, "accept-without", "assertion-replayed"))
    body = here.secured("IDB", here.message("IDB"))
    assert [here.post("IDB", body).status for _ in range(2)] == [200, 200]


def test_answers_may_be_signed_wrongly(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    service = caller.norm.service("IDB")
    assert service is not None
    wrong = [f.id for f in behaviour.faults if any(change.operator.phase == "security" for change in f.changes)]
    wrong.append(of_operator(behaviour, "stale"))
    for fault in wrong:
        tree = with_fault(sandbox, caller, fault).call("IDB").tree
        with pytest.raises(SecurityRefusal):
            verify(tree, caller.norm, service, "response", sandbox.pki.anchors(), datetime.now(UTC))


def test_delay_holds_one_caller_and_not_its_neighbours(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.add_world("slow", World(variants=("V-LENT",)))
    here = caller.in_world("slow")
    assert [here.call("IDB").status for _ in range(9)] == [200] * 9  # each tenth answer is slow
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        slow = pool.submit(here.call, "IDB")
        assert caller.call("IDB").status == 200
        assert not slow.done()
        assert slow.result().status == 200
        assert time.monotonic() - started >= 1.2


def test_close_and_truncate_cut_the_connection(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    for operator in ("close", "truncate"):
        here = with_fault(sandbox, caller, of_operator(behaviour, operator))
        assert here.call("IDB").status == 200
        with pytest.raises((HTTPException, ConnectionError, ssl.SSLError)):
            here.call("IDB", {"//com:DateNaissance": "1972-19-01"})


def test_mix_answers_confuses_two_callers(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    here = with_fault(sandbox, caller, of_operator(behaviour, "mix-answers"))
    twin = person(behaviour, "jumeaux")

    def confused(_: int) -> bool:
        root = here.message("IDB", twin)
        sent = root.findtext(".//wsa:MessageID", namespaces=caller.norm.prefixes)
        return here.post("IDB", here.secured("IDB", root)).text("RelatesTo") != sent

    with ThreadPoolExecutor(8) as pool:
        assert any(pool.map(confused, range(16)))


def person(behaviour: Behaviour, pool: str) -> dict[str, str]:
    values = behaviour.population.pool(pool)[0].values
    return {
        "//com:Nir": values["nir"],
        "//com:CleNir": values["cle_nir"],
        "//com:DateNaissance": values["date_naissance"],
        "//com:NumeroAMC": values["numero_amc"],
        "//com:NumeroAdherent": values["numero_adherent"],
    }


def invoice(caller: Caller, number: str, **more: str) -> str:
    edits = {"//clc:NumeroFacture": number, **{f"//clc:{name}": value for name, value in more.items()}}
    return caller.call("CLC", edits).text("NumeroEngagement")


def test_repeat_sequence_gives_one_number_to_all(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    here = with_fault(sandbox, caller, of_operator(behaviour, "repeat-sequence"))
    assert invoice(here, "800000001") == invoice(here, "800000002") != ""


def test_answer_anew_gives_another_number_to_the_same_invoice(
    sandbox: Sandbox, caller: Caller, behaviour: Behaviour
) -> None:
    here = with_fault(sandbox, caller, of_operator(behaviour, "answer-anew"))
    assert invoice(here, "800000001") != invoice(here, "800000001")


def test_forget_loses_what_was_promised(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    here = with_fault(sandbox, caller, of_operator(behaviour, "forget"))
    assert invoice(here, "800000001")
    assert invoice(here, "800000001", NatureAssurance="MA")


def test_ignore_row_and_force_row(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    edits = {"//com:NumeroAdherent": "AUTRE"}
    assert caller.call("IDB", edits).text("Code") == "07"
    ignoring = with_fault(sandbox, caller, of_operator(behaviour, "ignore-row", "idb-adherent-different"))
    assert ignoring.call("IDB", edits).text("Code") == "00"
    forcing = with_fault(sandbox, caller, of_operator(behaviour, "force-row", "idb-droits-clos"))
    assert forcing.call("IDB").text("Code") == "03"


def test_every_counts_calls(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    fault = next(fault.id for fault in behaviour.faults if any(change.every == 2 for change in fault.changes))
    here = with_fault(sandbox, caller, fault)
    edits = person(behaviour, "demande-repetee")
    codes = []
    for _ in range(4):
        codes.append(here.call("IDB", edits).text("Code"))
        assert here.call("IDB").text("Code") == "00"  # a call that the fault does not concern is not counted
    assert codes == ["00", "03", "00", "03"]


def test_set_value_replaces_a_computed_value(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    edits = {**person(behaviour, "formule-025"), "//clc:NumeroFacture": "800000009"}
    assert caller.call("CLC", edits).text("TotalAMC") == "0.00"
    here = with_fault(sandbox, caller, of_operator(behaviour, "set-value"))
    assert here.call("CLC", edits).text("TotalAMC") == "9.00"


def test_refusals_may_be_answered_wrongly(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    wrong = [
        with_fault(sandbox, caller, fault.id).post("IDB", b"<a")
        for fault in behaviour.faults
        for change in fault.changes
        if change.operator.name == "answer-refusal" and change.reasons == ("malformed",)
    ]
    assert {(answer.status, answer.error, answer.text("Value")) for answer in wrong} == {
        (200, "VAL-01", "soap:Sender"),
        (500, "INT-01", "soap:Receiver"),
    }


def test_good_requests_may_be_refused(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    sandbox.add_world("version", World(variants=("V-VERSION-LOGICIEL",)))
    here = caller.in_world("version")
    assert here.call("IDB").status == 200
    assert here.call("IDB", {"//ctx:LPS/ctx:Version": "99.9"}).error == "LOG-01"
    here = with_fault(sandbox, caller, of_operator(behaviour, "refuse-header"))
    body = here.secured("IDB", here.message("IDB"))
    assert here.post("IDB", body, headers={"Transfer-Encoding": "chunked"}, chunked=True).status == 400


def test_any_path_answers_everywhere(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    request = b"PUT %s/nowhere HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    here = with_fault(sandbox, caller, of_operator(behaviour, "any-path"))
    assert b" 405 " in here.raw("IDB", request % b"/w/fault")
    assert b" 404 " in caller.raw("IDB", request % b"")


def test_faults_of_http_change_status_and_type(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    answer = with_fault(sandbox, caller, of_operator(behaviour, "content-type")).call("IDB")
    assert answer.headers["content-type"].startswith("text/html")
    here = with_fault(sandbox, caller, of_operator(behaviour, "http-status", "201"))
    assert (here.call("IDB").status, here.post("IDB", b"<a").status) == (201, 400)


def test_a_partner_may_take_oversize_bodies(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    padding = b" " * (1 << 20)
    assert caller.post("IDB", caller.secured("IDB", caller.message("IDB")) + padding).status == 413
    here = with_fault(sandbox, caller, of_operator(behaviour, "accept-without", "too-large text-too-long"))
    assert here.post("IDB", here.secured("IDB", here.message("IDB")) + padding).status == 200


def test_a_partner_may_dislike_prefixes(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    here = with_fault(sandbox, caller, "F-GEN-31")
    assert here.call("IDB").status == 200
    root = rename_prefixes(here.message("IDB"))
    assert here.post("IDB", here.secured("IDB", root)).error == "VAL-01"
    assert caller.post("IDB", caller.secured("IDB", rename_prefixes(caller.message("IDB")))).status == 200


def test_a_partner_may_sulk_after_a_refusal(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    here = with_fault(sandbox, caller, of_operator(behaviour, "refuse-after-refusal"))
    sulked_at = person(behaviour, "apres-refus")
    assert here.call("IDB", sulked_at).status == 200
    assert here.post("IDB", b"<a").error == "XML-01"
    assert here.call("IDB").status == 200  # somebody else's request between them changes nothing
    assert here.call("IDB", sulked_at).error == "INT-02"
    assert here.call("IDB", sulked_at).status == 200


def test_a_condition_tells_two_missing_signatures_apart(sandbox: Sandbox, caller: Caller, behaviour: Behaviour) -> None:
    for requirement, accepted, refused in (
        ("SOC-SEC-011", "assertion-unsigned", "flow-missing"),
        ("SOC-SEC-030", "flow-missing", "assertion-unsigned"),
        ("SOC-SEC-032", "body-unsigned", "timestamp-unsigned"),
        ("SOC-SEC-033", "timestamp-unsigned", "body-unsigned"),
    ):
        fault = next(fault.id for fault in behaviour.faults if fault.requirement == requirement)
        here = with_fault(sandbox, caller, fault)
        assert here.call("IDB", deviation=accepted).status == 200
        assert here.call("IDB", deviation=refused).status == 400
