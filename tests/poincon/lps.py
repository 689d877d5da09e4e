"""A product of role client: `lps.py PKI_FOLDER BEHAVIOUR` reads one stimulus and acts on it.

honest: asks for the rights as it was told; silent: says it did and calls nothing; wrong-identity: sends another
birth date; goes-on: calls the next service although the rights are closed; unsigned: forgets the flow signature.
"""

from __future__ import annotations

import json
import ssl
import sys
from datetime import UTC, datetime
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from lxml import etree

from norms.loader import load
from norms.model import Norm
from norms.wire.secure import Signers, Subject, secure_request
from sandbox.pki import TestPki

PLACES = {
    "nir": "//com:Beneficiaire/com:Nir",
    "cle_nir": "//com:Beneficiaire/com:CleNir",
    "date_naissance": "//com:Beneficiaire/com:DateNaissance",
    "rang": "//com:Beneficiaire/com:RangGemellaire",
    "numero_amc": "//com:Couverture/com:NumeroAMC",
    "type_convention": "//com:Couverture/com:TypeConvention",
    "numero_adherent": "//com:Couverture/com:NumeroAdherent",
    "prestation": "//idb:CodePrestation",
    "date": "//idb:DateReference",
}
ATTRIBUTES = {"identifiantFacturation": "751234567", "codeSpecialiteAMO": "01", "secteurActivite": "SA07"}


def request(norm: Norm, kind: str, data: dict[str, str]) -> etree._Element:
    root = etree.parse(norm.root / "messages" / f"{kind}.request.xml").getroot()
    values = {PLACES[name]: text for name, text in data.items() if name in PLACES}
    values["//wsa:MessageID"] = f"uuid:{uuid4()}"
    values["//ctx:ContexteLPS/ctx:Temps"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for path, text in values.items():
        for node in root.xpath(path, namespaces=norm.prefixes):
            node.text = text
    return root


def send(norm: Norm, pki: TestPki, kind: str, url: str, data: dict[str, str], deviation: str = "") -> None:
    service = norm.service(kind)
    assert service is not None
    signers = Signers(pki.identity("cps-signature"), pki.identity("software"))
    subject = Subject("99900063480", "CPS", ATTRIBUTES)
    body = secure_request(request(norm, kind, data), norm, service, signers, subject, url, datetime.now(UTC), deviation)
    context = ssl.create_default_context(cafile=str(pki.authority))
    context.load_cert_chain(*pki.laboratory_identities()["tls"])
    place = urlsplit(url)
    connection = HTTPSConnection(place.hostname or "", place.port, context=context, timeout=10)
    media = f'application/soap+xml; charset=utf-8; action="{service.request.action}"'
    connection.request("POST", place.path, body, {"Content-Type": media})
    connection.getresponse().read()
    connection.close()


def main() -> None:
    pki, behaviour = TestPki(Path(sys.argv[1])), sys.argv[2]
    stimulus = json.loads(sys.stdin.readline())
    norm, data, endpoints = load("ville/1.1"), dict(stimulus["data"]), stimulus["endpoints"]
    if behaviour != "silent" and data:
        if behaviour == "wrong-identity":
            data["date_naissance"] = "1901-01-01"
        send(norm, pki, "IDB", endpoints["IDB"], data, "flow-missing" if behaviour == "unsigned" else "")
        if behaviour == "goes-on":
            send(norm, pki, "CLC", endpoints["CLC"], data)
    print(json.dumps({"outcome": "completed"}))


if __name__ == "__main__":
    main()
