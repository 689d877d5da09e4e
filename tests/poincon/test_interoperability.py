"""A stranger's toolkit meets the practice partners: zeep, built from what ?wsdl publishes, and signatures of xmlsec."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
from front_doors import Practice
from lxml import etree

from norms.loader import load
from norms.model import Norm, Service
from norms.wire import names
from norms.wire.keys import Identity
from norms.wire.secure import Signers, Subject, secure_request

zeep = pytest.importorskip("zeep")

COM = "urn:poincon:reconstruction:commun:1.0"
CTX = "urn:poincon:reconstruction:contexte:1.0"
IDB = "urn:poincon:reconstruction:ville:idb:1.1"
CLC = "urn:poincon:reconstruction:ville:clc:1.1"
WSA = "http://www.w3.org/2005/08/addressing"
XS = "{http://www.w3.org/2001/XMLSchema}"
SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
SUBJECT = Subject(
    "99900063480",
    "CPS",
    {"identifiantFacturation": "751234567", "codeSpecialiteAMO": "01", "secteurActivite": "SA07"},
)
PERSON: dict[str, Any] = {
    "Professionnel": {"IdentifiantFacturation": "751234567", "Rpps": "99900063480", "CodeSpecialite": "01"},
    "Beneficiaire": {
        "Nir": "1090763220834", "CleNir": "89", "DateNaissance": "2009-07-15", "RangGemellaire": "1",
    },
    "Couverture": {
        "NumeroAMC": "0099990001", "TypeConvention": "RO", "CritereSecondaire": "A1", "NumeroAdherent": "ADH000001",
    },
}  # fmt: skip
SERVICES = [
    (ref, service.kind) for ref in ("ville/1.1", "annuaire/1.0") for service in load(ref).services if service.wsdl
]


class Wire(zeep.Plugin):  # type: ignore[misc]
    """Secures what zeep sends with our wire library, and keeps what comes back. alter: spoils what was signed."""

    def __init__(self, practice: Practice, norm: Norm, service: Service) -> None:
        self.practice, self.norm, self.service = practice, norm, service
        self.alter: Callable[[etree._Element], None] = lambda _root: None
        self.sent: etree._Element | None = None
        self.received: etree._Element | None = None

    def egress(self, envelope: Any, http_headers: Any, operation: Any, binding_options: Any) -> Any:
        address = binding_options["address"]
        secured = secured_by_us(self.practice, self.norm, self.service, envelope, address)
        self.alter(secured)
        self.sent = secured
        return secured, http_headers

    def ingress(self, envelope: Any, http_headers: Any, operation: Any) -> Any:
        self.received = etree.fromstring(etree.tostring(envelope))
        return envelope, http_headers


def signer(practice: Practice, use: str) -> Identity:
    return practice.pki.identity(practice.pki.laboratory_identities()[use][0].stem)


def secured_by_us(
    practice: Practice, norm: Norm, service: Service, envelope: etree._Element, address: str
) -> etree._Element:
    signers = Signers(signer(practice, "assertion"), signer(practice, "flow"))
    return etree.fromstring(secure_request(envelope, norm, service, signers, SUBJECT, address, datetime.now(UTC)))


@pytest.fixture
def session(practice: Practice) -> Iterator[requests.Session]:
    """Mutual TLS with the card's authentication certificate."""
    with requests.Session() as opened:
        certificate, key = practice.pki.laboratory_identities()["tls"]
        opened.cert, opened.verify = (str(certificate), str(key)), str(practice.pki.authority)
        opened.trust_env = False
        yield opened


def client_of(session: requests.Session, address: str, *plugins: Any) -> Any:
    transport = zeep.Transport(session=session, timeout=20, operation_timeout=20)
    return zeep.Client(f"{address}?wsdl", transport=transport, plugins=list(plugins))


def service_of(ref: str, kind: str) -> tuple[Norm, Service]:
    norm = load(ref)
    service = norm.service(kind)
    assert service is not None
    return norm, service


# -- what the published description says ---------------------------------------------------------------------


@pytest.mark.parametrize(("ref", "kind"), SERVICES)
def test_zeep_reads_the_operation_of_every_service(
    ref: str, kind: str, practice: Practice, session: requests.Session
) -> None:
    norm, service = service_of(ref, kind)
    address = practice.sandbox.endpoints("", ref)[kind]
    client = client_of(session, address)
    ports = [port for published in client.wsdl.services.values() for port in published.ports.values()]
    (port,) = ports
    assert port.binding_options["address"] == address, "the description says where the partner really is"
    operations = port.binding.all()
    assert list(operations) == [service.operation]
    operation = operations[service.operation]
    assert operation.soapaction == service.request.action
    for part, message in ((service.request, operation.input), (service.response, operation.output)):
        prefix, _, local = part.element.partition(":")
        assert message.body.qname == etree.QName(norm.prefixes[prefix], local)
    assert list(operation.faults) == ["erreur"]


@pytest.mark.parametrize(("ref", "kind"), SERVICES)
def test_zeep_reads_every_type_and_element_of_the_schemas(
    ref: str, kind: str, practice: Practice, session: requests.Session
) -> None:
    """zeep fetches the schemas as the description refers to them; only the expectation comes from our folders."""
    norm, service = service_of(ref, kind)
    client = client_of(session, practice.sandbox.endpoints("", ref)[kind])
    expected = reachable(norm, service)
    assert len(expected) > 10
    for tag, name in expected:
        if tag == f"{XS}element":
            assert client.get_element(name) is not None
        else:
            found = client.get_type(name)
            assert found.qname == name
            assert found.signature(schema=client.wsdl.types) is not None


def reachable(norm: Norm, service: Service) -> list[tuple[str, str]]:
    """Return (kind, name) of all global types and elements of the schemas that a WSDL leads to."""
    waiting, seen, found = [norm.root / service.wsdl], set(), []
    while waiting:
        path = waiting.pop().resolve()
        if path in seen:
            continue
        seen.add(path)
        root = etree.parse(path).getroot()
        waiting += [path.parent / item.get("schemaLocation") for item in root.iter(f"{XS}import", f"{XS}include")]
        if root.tag == f"{XS}schema":
            space = root.get("targetNamespace")
            found += [
                (str(item.tag), f"{{{space}}}{item.get('name')}")
                for item in root
                if item.tag in (f"{XS}element", f"{XS}complexType", f"{XS}simpleType")
            ]
    return found


# -- a conversation ------------------------------------------------------------------------------------------


def headers(client: Any, service: Service) -> list[Any]:
    context = client.get_element(f"{{{CTX}}}ContexteLPS")(
        Version="1.0",
        Id=str(uuid4()),
        Temps=datetime.now(UTC).replace(microsecond=0),
        Emetteur="99900063480",
        LPS={
            "NumeroAutorisation": "POINCON-0001",
            "Version": "1.0",
            "Instance": str(uuid4()),
            "Nom": "Logiciel de zeep",
        },
    )
    action, message = etree.Element(f"{{{WSA}}}Action"), etree.Element(f"{{{WSA}}}MessageID")
    action.text, message.text = service.request.action, f"uuid:{uuid4()}"
    return [action, message, context]


def rights(person: Mapping[str, Any] = PERSON) -> dict[str, Any]:
    return {
        "Version": "1.1", **person, "DateReference": date.today(), "NatureAssurance": "AS",
        "Prestations": {"CodePrestation": ["G"]},
    }  # fmt: skip


@pytest.fixture
def wire(practice: Practice) -> Wire:
    return Wire(practice, *service_of("ville/1.1", "IDB"))


@pytest.fixture
def idb(session: requests.Session, practice: Practice, wire: Wire) -> Any:
    return client_of(session, practice.sandbox.endpoints("", "ville/1.1")["IDB"], wire)


def test_zeep_asks_for_rights_and_understands_the_answer(idb: Any, wire: Wire) -> None:
    answer = idb.service.informerDroits(**rights(), _soapheaders=headers(idb, wire.service))
    assert answer.body.Resultat.Code == "00"
    assert answer.body.Beneficiaire.Nir == "1090763220834"
    assert [item.CodePrestation for item in answer.body.Garantie] == ["G"]
    assert answer.header.contexte.NumeroAMC == "0099990001"
    assert wire.sent is not None
    assert wire.received is not None
    relates = wire.received.findtext(f"{SOAP}Header/{{{WSA}}}RelatesTo")
    assert relates == wire.sent.findtext(f"{SOAP}Header/{{{WSA}}}MessageID")


def test_the_answer_that_zeep_got_is_valid_against_the_schema(idb: Any, wire: Wire) -> None:
    idb.service.informerDroits(**rights(), _soapheaders=headers(idb, wire.service))
    schema = etree.XMLSchema(etree.parse(wire.norm.root / "schema" / "idb.xsd"))
    assert wire.received is not None
    (payload,) = wire.received.find(f"{SOAP}Body")
    schema.assertValid(payload)
    payload.append(etree.Element(f"{{{IDB}}}Inconnu"))
    assert not schema.validate(payload)


def test_zeep_gets_a_calculation(session: requests.Session, practice: Practice) -> None:
    norm, service = service_of("ville/1.1", "CLC")
    wire = Wire(practice, norm, service)
    client = client_of(session, practice.sandbox.endpoints("", "ville/1.1")["CLC"], wire)
    canonical = etree.parse(norm.root / "messages" / "CLC.request.xml")
    (payload,) = canonical.getroot().find(f"{SOAP}Body")
    today = date.today().isoformat()
    for name in ("DateFacture", "DateSoins"):
        for node in payload.iter(f"{{{CLC}}}{name}"):
            node.text = today
    payload.find(f".//{{{CLC}}}NumeroFacture").text = str(uuid4().int)[:9]
    read = client.get_element(f"{{{CLC}}}DemandeCLC").parse(payload, client.wsdl.types)
    values = zeep.helpers.serialize_object(read)
    answer = client.service.calculerDroits(**values, _soapheaders=headers(client, service))
    assert answer.body.Resultat.Code == "00"
    assert answer.body.Engagement.NumeroEngagement
    schema = etree.XMLSchema(etree.parse(norm.root / "schema" / "clc.xsd"))
    assert wire.received is not None
    schema.assertValid(wire.received.find(f"{SOAP}Body")[0])


def test_zeep_looks_an_address_up(session: requests.Session, practice: Practice) -> None:
    norm = load("annuaire/1.0")
    certificate, key = practice.pki.laboratory_identities()["tls-software"]
    session.cert = (str(certificate), str(key))
    client = client_of(session, practice.sandbox.endpoints("", "annuaire/1.0")["ADR"])
    (payload,) = etree.parse(norm.root / "messages" / "ADR.request.xml").getroot()[1]
    values = zeep.helpers.serialize_object(client.get_element(payload.tag).parse(payload, client.wsdl.types))
    values["parametres"]["requete"]["date_demande"] = datetime.now(UTC).replace(microsecond=0)
    answer = client.service.search(**values)
    assert practice.sandbox.endpoints("", "ville/1.1")["IDB"] in str(answer)


def test_zeep_reads_a_business_refusal_and_a_fault(idb: Any, wire: Wire) -> None:
    stranger = {**PERSON, "Couverture": {**PERSON["Couverture"], "NumeroAMC": "0099999999"}}
    answer = idb.service.informerDroits(**rights(stranger), _soapheaders=headers(idb, wire.service))
    assert answer.body.Resultat.Code != "00"
    assert not answer.body.Garantie

    def other_person(root: etree._Element) -> None:
        root.find(f".//{{{COM}}}Nir").text = "2550814168025"

    wire.alter = other_person
    with pytest.raises(zeep.exceptions.Fault) as fault:
        idb.service.informerDroits(**rights(), _soapheaders=headers(idb, wire.service))
    assert fault.value.detail.findtext(f".//{{{COM}}}Code") == "SEC-07"


# -- signatures by another library ---------------------------------------------------------------------------


def request_of(idb: Any, wire: Wire) -> etree._Element:
    """Return an IDB request as zeep serialises it, secured by us."""
    envelope = idb.create_message(idb.service, "informerDroits", **rights(), _soapheaders=headers(idb, wire.service))
    if envelope.find(f".//{names.SECURITY}") is None:
        address = next(iter(idb.wsdl.services.values())).ports["ServiceIDB"].binding_options["address"]
        envelope = secured_by_us(wire.practice, wire.norm, wire.service, envelope, address)
    return envelope


def posted(session: requests.Session, practice: Practice, service: Service, root: etree._Element) -> etree._Element:
    answer = session.post(
        practice.sandbox.endpoints("", "ville/1.1")["IDB"],
        data=etree.tostring(root),
        headers={"Content-Type": f'application/soap+xml; charset=utf-8; action="{service.request.action}"'},
        timeout=20,
    )
    return etree.fromstring(answer.content)


def told(answer: etree._Element) -> str:
    """Return the code of a result or of a fault."""
    found = answer.find(f".//{{{COM}}}Resultat/{{{COM}}}Code")
    return str((found if found is not None else answer.find(f".//{{{COM}}}Erreur/{{{COM}}}Code")).text)


@pytest.fixture
def by_xmlsec(idb: Any, wire: Wire, practice: Practice) -> etree._Element:
    pytest.importorskip("xmlsec")
    from tests.wire.xmlsec_signing import signed_by_xmlsec

    root = request_of(idb, wire)
    return signed_by_xmlsec(root, signer(practice, "assertion"), signer(practice, "flow"))


def test_what_xmlsec_signed_is_served(
    by_xmlsec: etree._Element, session: requests.Session, practice: Practice, wire: Wire
) -> None:
    assert told(posted(session, practice, wire.service, by_xmlsec)) == "00"


def other_digit(text: str) -> str:
    return f"{text[:-1]}{(int(text[-1]) + 1) % 10}"


def a_second_less(text: str) -> str:
    earlier = datetime.fromisoformat(text) - timedelta(seconds=1)
    return earlier.isoformat().replace("+00:00", "Z")


ALTERATIONS = {
    "attribute of the assertion": (f".//{names.ATTRIBUTE_VALUE}", other_digit),
    "holder of the assertion": (f".//{names.NAME_ID}", other_digit),
    "body": (f".//{{{COM}}}NumeroAdherent", other_digit),
    "header block": (f".//{{{CTX}}}NumeroAutorisation", other_digit),
    "timestamp": (f".//{names.EXPIRES}", a_second_less),
}


@pytest.mark.parametrize("part", ALTERATIONS)
def test_what_was_altered_after_xmlsec_signed_it_is_refused(
    part: str, by_xmlsec: etree._Element, session: requests.Session, practice: Practice, wire: Wire
) -> None:
    path, change = ALTERATIONS[part]
    found = by_xmlsec.find(path)
    before, found.text = found.text, change(found.text)
    assert found.text != before
    assert told(posted(session, practice, wire.service, by_xmlsec)) == "SEC-07"


def test_what_the_wrong_key_signed_with_xmlsec_is_refused(
    idb: Any, session: requests.Session, practice: Practice, wire: Wire
) -> None:
    pytest.importorskip("xmlsec")
    from tests.wire.xmlsec_signing import signed_by_xmlsec

    good, stranger = signer(practice, "assertion"), signer(practice, "assertion-other-authority")
    root = signed_by_xmlsec(request_of(idb, wire), stranger, signer(practice, "flow"))
    assert told(posted(session, practice, wire.service, root)) == "CER-01"
    root = signed_by_xmlsec(request_of(idb, wire), good, signer(practice, "flow-wrong-kind"))
    assert told(posted(session, practice, wire.service, root)).startswith("CER-")


def test_what_the_partner_signs_xmlsec_verifies(
    idb: Any, wire: Wire, session: requests.Session, practice: Practice
) -> None:
    xmlsec = pytest.importorskip("xmlsec")
    answer = posted(session, practice, wire.service, request_of(idb, wire))

    def good(root: etree._Element) -> bool:
        context = xmlsec.SignatureContext()
        certificate = practice.pki.amc_identities()["flow"][0]
        context.key = xmlsec.Key.from_file(str(certificate), xmlsec.KeyFormat.CERT_PEM)
        for item in root.iter():
            if item.get(names.WSU_ID):
                context.register_id(item, "Id", names.WSU)
        try:
            context.verify(root.find(f".//{names.SECURITY}/{names.SIGNATURE}"))
        except xmlsec.Error:
            return False
        return True

    assert good(answer)
    answer.find(f".//{{{COM}}}Resultat/{{{COM}}}Code").text = "03"
    assert not good(answer)
