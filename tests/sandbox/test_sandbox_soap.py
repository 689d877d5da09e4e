"""The simulator and SOAP: dispatch, headers, addresses of others. Attacks W01–W05."""

from __future__ import annotations

import socket

import pytest
from lxml import etree
from sandbox_caller import SOAP12, Caller

WSA = "http://www.w3.org/2005/08/addressing"
SOAP = "http://www.w3.org/2003/05/soap-envelope"


def header_of(root: etree._Element) -> etree._Element:
    return next(iter(root))


def body_of(root: etree._Element) -> etree._Element:
    return root[-1]


@pytest.mark.parametrize("block", ["ReplyTo", "FaultTo", "To"])
def test_w01_addresses_in_a_message_are_never_called(caller: Caller, block: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.2)
        root = caller.message("IDB")
        address = f"https://127.0.0.1:{trap.getsockname()[1]}/steal"
        node = etree.SubElement(header_of(root), f"{{{WSA}}}{block}")
        if block == "To":
            node.text = address
        else:
            etree.SubElement(node, f"{{{WSA}}}Address").text = address
        answer = caller.post("IDB", caller.secured("IDB", root))
        assert (answer.status, answer.text("Code")) == (200, "00")
        with pytest.raises(TimeoutError):
            trap.accept()


def test_w02_the_body_decides_and_a_contrary_http_action_is_refused(caller: Caller) -> None:
    other = caller.norm.service("CLC")
    assert other is not None
    body = caller.secured("IDB", caller.message("IDB"))
    answer = caller.post("IDB", body, headers={"Content-Type": SOAP12.format(action=other.request.action)})
    assert (answer.status, answer.error) == (400, "HTT-03")


def test_w02_a_contrary_addressing_action_is_refused(caller: Caller) -> None:
    root = caller.message("IDB", {"//wsa:Action": "urn:ServiceCLC:1.1.0:calculerDroits"})
    assert caller.post("IDB", caller.secured("IDB", root)).error == "HTT-03"


def test_w02_the_operation_of_another_service_is_unknown_here(caller: Caller) -> None:
    answer = caller.post("IDB", caller.secured("CLC", caller.message("CLC")))
    assert answer.error == "SOA-04"


def test_w03_an_unknown_header_that_must_be_understood_is_a_fault(caller: Caller) -> None:
    root = caller.message("IDB")
    etree.SubElement(header_of(root), "{urn:unknown}Block", {f"{{{SOAP}}}mustUnderstand": "true"})
    answer = caller.post("IDB", caller.secured("IDB", root))
    assert (answer.status, answer.error) == (400, "SOA-03")


def test_an_unknown_header_that_need_not_be_understood_is_ignored(caller: Caller) -> None:
    root = caller.message("IDB")
    etree.SubElement(header_of(root), "{urn:unknown}Block", {f"{{{SOAP}}}mustUnderstand": "false"})
    assert caller.post("IDB", caller.secured("IDB", root)).status == 200


def test_w03_a_soap_1_1_envelope_is_a_fault(caller: Caller) -> None:
    body = caller.secured("IDB", caller.message("IDB"))
    other = body.replace(SOAP.encode(), b"http://schemas.xmlsoap.org/soap/envelope/")
    answer = caller.post("IDB", other)
    assert (answer.status, answer.error) == (400, "SOA-01")


@pytest.mark.parametrize("count", [0, 2])
def test_w03_a_body_without_exactly_one_child_is_a_fault(caller: Caller, count: int) -> None:
    root = caller.message("IDB")
    body = body_of(root)
    payload = body[0]
    if count:
        body.append(etree.fromstring(etree.tostring(payload)))
    else:
        body.remove(payload)
    answer = caller.post("IDB", caller.secured("IDB", root))
    assert (answer.status, answer.error) == (400, "SOA-02")


def test_w04_an_xop_package_is_refused_by_its_media_type(caller: Caller) -> None:
    answer = caller.post("IDB", b"--x", headers={"Content-Type": 'multipart/related; type="application/xop+xml"'})
    assert (answer.status, answer.error) == (415, "HTT-02")


def test_w05_an_oversized_array_meets_the_limits(caller: Caller) -> None:
    root = caller.message("IDB")
    payload = body_of(root)[0]
    for _ in range(25_000):
        etree.SubElement(payload, "a")
    answer = caller.post("IDB", etree.tostring(root))
    assert (answer.status, answer.error) == (400, "XML-05")


def test_a_missing_context_header_is_named(caller: Caller) -> None:
    root = caller.message("IDB")
    header = header_of(root)
    header.remove(header.find("ctx:ContexteLPS", caller.norm.prefixes))
    assert caller.post("IDB", etree.tostring(root)).error == "SOA-05"


def test_another_version_of_the_norm_is_named(caller: Caller) -> None:
    root = caller.message("IDB")
    body_of(root)[0].set("Version", "9.9")
    assert caller.post("IDB", caller.secured("IDB", root)).error == "VER-01"


def test_unknown_software_is_refused(caller: Caller) -> None:
    assert caller.call("IDB", {"//ctx:NumeroAutorisation": "INCONNU-0001"}).error == "LOG-01"


def test_a_schema_error_and_a_broken_rule_are_told_apart(caller: Caller) -> None:
    assert caller.call("IDB", {"//com:Nir": "abc"}).error == "VAL-01"
    assert caller.call("IDB", {"//com:CleNir": "00"}).error in ("VAL-02", "VAL-03")


def test_a_fault_relates_to_its_request_and_keeps_the_nir_to_itself(caller: Caller) -> None:
    root = caller.message("IDB", {"//com:CleNir": "00"})
    sent = root.findtext(".//wsa:MessageID", namespaces={"wsa": WSA})
    answer = caller.post("IDB", caller.secured("IDB", root))
    assert answer.text("RelatesTo") == sent
    assert b"1090763220834" not in answer.body
