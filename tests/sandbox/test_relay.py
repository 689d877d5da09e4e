"""The relay over real sockets: what it carries, what it brings back, what it says when it cannot."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

import pytest
from lxml import etree
from relay_upstream import ANSWER, Upstream
from sandbox_caller import Caller

from norms.errors import UsageError
from norms.loader import load
from norms.model import Norm
from norms.wire.keys import load_identity
from norms.wire.secure import Signers
from poincon.practice import client_identities
from sandbox.carrying import ANSWER_BYTES
from sandbox.pki import TestPki
from sandbox.plain import plain_listener
from sandbox.relay import Destination, Hand, Relay
from sandbox.serve import Sandbox

MEDIA = "application/soap+xml; charset=utf-8"
SOAP = "{http://www.w3.org/2003/05/soap-envelope}"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Door:
    """A running relay. notes: what it told its user."""

    base: str
    addresses: dict[str, str]
    notes: list[str]

    def call(
        self, path: str, body: bytes | None = None, method: str = "POST", headers: dict[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.base).netloc, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": MEDIA, **(headers or {})})
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()


def hand_of(norm: Norm, pki: TestPki) -> Hand:
    held = client_identities(norm, pki)
    context = ssl.create_default_context(cafile=str(pki.authority))
    context.load_cert_chain(*held["tls"])
    signers = Signers(*(load_identity(*held[use]) for use in ("assertion", "flow") if use in held))
    return Hand(norm, context, signers, {value.name: value.example for value in norm.extra_values})


@contextmanager
def relaying(pki: TestPki, norms: list[Norm], destination: Destination, seconds: float = 20) -> Iterator[Door]:
    notes: list[str] = []
    relay = Relay([hand_of(norm, pki) for norm in norms], destination, seconds, notes.append)
    with plain_listener(relay, "127.0.0.1", 0, norms[0].security.limits) as listener:
        yield Door(listener.base, relay.addresses(listener.base), notes)


@pytest.fixture
def door(pki: TestPki, sandbox: Sandbox, ville: Norm, annuaire: Norm) -> Iterator[Door]:
    base = sandbox.endpoints()["IDB"].removesuffix("/ville/1.1/idb")
    with relaying(pki, [ville, annuaire], Destination(base)) as opened:
        yield opened


def bare(ville: Norm, kind: str = "IDB") -> etree._Element:
    """A request as a SOAP toolkit writes it that knows nothing of headers."""
    root = etree.parse(ville.root / "messages" / f"{kind}.request.xml").getroot()
    for node in root.iter("{*}DateReference", "{*}DateSoins", "{*}DateFacture"):
        node.text = date.today().isoformat()
    root.remove(root[0])
    return root


def head_of(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


# -- carried to the practice partners ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["IDB", "CLC"])
def test_an_unsigned_request_without_any_header_is_answered(kind: str, door: Door, ville: Norm) -> None:
    answer = door.call(f"/ville/1.1/{kind.lower()}", etree.tostring(bare(ville, kind)))
    assert (answer.status, answer.headers["poincon-relay"]) == (200, "1")
    assert etree.fromstring(answer.body).findtext(".//{*}Resultat/{*}Code") == "00"
    assert door.notes == [
        f"/ville/1.1/{kind.lower()} : complétée (Security, Action, MessageID, ContexteLPS), réponse 200"
    ]


def test_an_establishment_that_signs_for_its_agents_is_answered(pki: TestPki) -> None:
    ets = load("ets/1.0")
    with Sandbox([ets], pki.folder.parent) as hospital:
        destination = Destination(kinds=hospital.endpoints())
        with relaying(pki, [ets], destination) as door:
            answer = door.call("/ets/1.0/idb", etree.tostring(bare(ets)))
    assert etree.fromstring(answer.body).findtext(".//{*}Resultat/{*}Code") == "00"


def test_a_companion_that_asks_for_another_certificate_is_answered(door: Door, annuaire: Norm) -> None:
    body = (annuaire.root / "messages" / "ADR.request.xml").read_bytes()
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"https://ws.annuaireamc.fr/search"'}
    answer = door.call("/annuaire/1.0/search", body, headers=headers)
    assert answer.status == 200
    assert "portée telle quelle" in door.notes[0]


def test_a_signed_request_is_carried_as_it_is_and_judged_by_the_endpoint(door: Door, caller: Caller) -> None:
    signed = caller.secured("IDB", caller.message("IDB"))
    assert door.call("/ville/1.1/idb", signed).status == 200
    spoilt = signed.replace(b"1090763220834", b"2550814168025")
    refused = door.call("/ville/1.1/idb", spoilt)
    assert (refused.status, b"SEC-07" in refused.body) == (400, True)
    assert all("déjà signée" in note for note in door.notes)


def test_the_descriptions_lead_to_the_relay(door: Door) -> None:
    for kind in ("IDB", "CLC", "ADR"):
        address = door.addresses[kind]
        described = etree.fromstring(door.call(urlsplit(address).path + "?wsdl", method="GET").body)
        assert [node.get("location") for node in described.iter("{*}address")] == [address], kind
        schemas = [node.get("schemaLocation") for node in described.iter("{*}import")]
        assert schemas
        assert all(str(schema).startswith(door.base) for schema in schemas)
        found = urlsplit(str(schemas[0]))
        assert door.call(f"{found.path}?{found.query}", method="GET").body.rstrip().endswith(b"schema>")


# -- what exactly is carried and brought back ----------------------------------------------------------------


def test_the_payload_travels_unchanged_and_the_request_bears_the_mark(pki: TestPki, ville: Norm) -> None:
    root = bare(ville)
    payload = root.find(f"{SOAP}Body")[0]
    payload.set("Version", "9.9")
    payload.append(etree.Comment("un commentaire"))
    sent = etree.tostring(root, encoding="UTF-8")
    with Upstream(pki) as other, relaying(pki, [ville], Destination(other.base)) as door:
        door.call("/ville/1.1/idb", sent, headers={"User-Agent": "Logiciel/3", "SOAPAction": "x", "Poincon-Relay": "0"})
        head, _, body = other.requests[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /ville/1.1/idb HTTP/1.1"
    assert head.lower().count(b"poincon-relay") == 1
    fields = head_of(head)
    assert {name: fields[name] for name in ("content-type", "user-agent", "soapaction", "poincon-relay", "host")} == {
        "content-type": MEDIA, "user-agent": "Logiciel/3", "soapaction": "x", "poincon-relay": "1",
        "host": other.base.removeprefix("https://"),
    }  # fmt: skip
    carried = etree.fromstring(body).find(f"{SOAP}Body")[0]
    assert etree.tostring(carried, method="c14n", exclusive=True) == etree.tostring(
        payload, method="c14n", exclusive=True
    )


@pytest.mark.parametrize(
    "body",
    [b"\x00\xffrien d'utile", b"<a>", b"<a/>", b"", b"<!DOCTYPE a []><a/>"],
    ids=["bytes", "malformed", "no envelope", "empty", "doctype"],
)
def test_what_cannot_be_completed_is_carried_byte_for_byte(body: bytes, pki: TestPki, ville: Norm) -> None:
    with Upstream(pki) as other, relaying(pki, [ville], Destination(other.base)) as door:
        assert door.call("/ville/1.1/idb", body).body == b"<a/>"
        assert other.requests[0].partition(b"\r\n\r\n")[2] == body
    assert "portée telle quelle" in door.notes[0]


def test_an_answer_comes_back_as_it_is(pki: TestPki, ville: Norm) -> None:
    head = b"HTTP/1.1 418 Rien\r\nContent-Type: x/y; z=1\r\nX-Dit: oui\r\nTransfer-Encoding: chunked\r\n\r\n"
    odd = head + b"3\r\nabc\r\n0\r\n\r\n"
    with Upstream(pki, odd) as other, relaying(pki, [ville], Destination(other.base)) as door:
        answer = door.call("/ville/1.1/idb", b"<a/>")
    assert (answer.status, answer.body) == (418, b"abc")
    assert (answer.headers["content-type"], answer.headers["x-dit"]) == ("x/y; z=1", "oui")
    assert "transfer-encoding" not in answer.headers


@pytest.mark.parametrize("answer", [b"", ANSWER[:-2]], ids=["nothing", "half"])
def test_a_cut_answer_is_cut_for_the_product_too(answer: bytes, pki: TestPki, ville: Norm) -> None:
    with (
        Upstream(pki, answer) as other,
        relaying(pki, [ville], Destination(other.base)) as door,
        pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected, ConnectionResetError)),
    ):
        door.call("/ville/1.1/idb", b"<a/>")
    assert door.notes[0].endswith("réponse coupée")


def test_addresses_by_kind_lead_each_to_its_own(pki: TestPki, ville: Norm) -> None:
    with Upstream(pki) as other:
        destination = Destination(kinds={"CLC": f"{other.base}/ailleurs/calcul"})
        with relaying(pki, [ville], destination) as door:
            assert list(door.addresses) == ["CLC"]
            assert door.call("/ville/1.1/clc", b"<a/>").status == 200
            assert [door.call(path, b"<a/>").status for path in ("/ville/1.1/idb", "/s/x/ville/1.1/clc")] == [404, 404]
    assert other.requests[0].startswith(b"POST /ailleurs/calcul HTTP/1.1\r\n")


def test_the_secret_of_a_session_travels_and_the_assertion_names_the_address_called(pki: TestPki, ville: Norm) -> None:
    with Upstream(pki) as other:
        destination = Destination(other.base, called="http://127.0.0.1:8080")
        with relaying(pki, [ville], destination) as door:
            door.call("/s/abcdef/ville/1.1/idb", etree.tostring(bare(ville)))
    head, _, body = other.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /s/abcdef/ville/1.1/idb HTTP/1.1\r\n")
    assert etree.fromstring(body).findtext(".//{*}Audience") == "http://127.0.0.1:8080/s/abcdef/ville/1.1/idb"


# -- clumsy and hostile --------------------------------------------------------------------------------------


def test_an_unknown_path_says_which_ones_there_are(door: Door) -> None:
    answer = door.call("/idb", b"<a/>")
    assert (answer.status, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert all(address in answer.text for address in door.addresses.values())


@pytest.mark.parametrize(
    ("method", "query", "status"), [("PUT", "", 405), ("GET", "", 404), ("GET", "?xsd=../../norm.yaml", 404)]
)
def test_other_methods_are_told_what_to_do(method: str, query: str, status: int, door: Door) -> None:
    answer = door.call(f"/ville/1.1/idb{query}", method=method)
    assert (answer.status, "POST" in answer.text) == (status, True)


def test_a_request_over_the_limit_is_refused_before_it_is_read(door: Door, ville: Norm) -> None:
    announced = {"Content-Length": str(ville.security.limits.body_bytes + 1)}
    assert door.call("/ville/1.1/idb", b"", headers=announced).status == 413


def test_an_endpoint_that_is_not_there(pki: TestPki, ville: Norm) -> None:
    with Upstream(pki) as gone:
        pass
    with relaying(pki, [ville], Destination(gone.base)) as door:
        answer = door.call("/ville/1.1/idb", b"<a/>")
    assert (answer.status, "n'est pas joignable" in answer.text) == (502, True)


@pytest.mark.parametrize("identity", ["amc-server-wrong-name", "amc-server-other-authority", "amc-server-expired"])
def test_an_endpoint_with_a_wrong_certificate_gets_nothing(identity: str, pki: TestPki, ville: Norm) -> None:
    with Upstream(pki, identity=identity) as other, relaying(pki, [ville], Destination(other.base)) as door:
        answer = door.call("/ville/1.1/idb", b"<a/>")
        assert other.requests == []
    assert (answer.status, "n'est pas accepté" in answer.text) == (502, True)


def test_a_silent_endpoint_ends_with_the_time_given(pki: TestPki, ville: Norm) -> None:
    with Upstream(pki, None) as other, relaying(pki, [ville], Destination(other.base), seconds=0.5) as door:
        answer = door.call("/ville/1.1/idb", b"<a/>")
    assert (answer.status, "en 0.5 s" in answer.text) == (504, True)


def test_an_endpoint_that_speaks_no_http(pki: TestPki, ville: Norm) -> None:
    with Upstream(pki, b"220 smtp pret\r\n\r\n") as other, relaying(pki, [ville], Destination(other.base)) as door:
        answer = door.call("/ville/1.1/idb", b"<a/>")
    assert (answer.status, "pas du HTTP" in answer.text) == (502, True)


def test_an_endless_answer_is_not_kept(pki: TestPki, ville: Norm) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * (ANSWER_BYTES + 1)
    with Upstream(pki, endless) as other, relaying(pki, [ville], Destination(other.base)) as door:
        answer = door.call("/ville/1.1/idb", b"<a/>")
    assert (answer.status, "dépasse" in answer.text) == (502, True)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "poste.exemple.fr"])
def test_only_this_machine_is_listened_to_unless_it_is_asked_for(host: str, pki: TestPki, ville: Norm) -> None:
    relay = Relay([], Destination(), 1, print)
    with pytest.raises(UsageError, match="allow-remote"):
        plain_listener(relay, host, 0, ville.security.limits)
    plain_listener(relay, host, 0, ville.security.limits, remote=True)
