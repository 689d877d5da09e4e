"""A service of comparable size written with spyne and its lxml validator, behind the same HTTPS listener.

It verifies no signature and signs nothing. `python -m bench.spyne_service CERTIFICATE KEY AUTHORITY` prints its port
and ends when its standard input is closed. spyne is no dependency: importing this module fails without it.
"""

from __future__ import annotations

import io
import sys
import warnings
from datetime import date
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")  # of spyne, which is no longer maintained

from spyne import Application, ComplexModel, Date, Integer, Mandatory, ServiceBase, Unicode, rpc  # noqa: E402
from spyne.protocol.soap import Soap12  # noqa: E402
from spyne.server.wsgi import WsgiApplication  # noqa: E402

from norms.model import Limits  # noqa: E402
from norms.wire.listener import Listener, ServerTls  # noqa: E402

SPACE = "urn:poincon:bench"
QUESTION = f"""<t:ask xmlns:t="{SPACE}"><t:question><t:message>uuid:{{number:036d}}</t:message>
<t:sender>99900063480</t:sender><t:licence>POINCON-0001</t:licence><t:biller>751234567</t:biller>
<t:speciality>01</t:speciality><t:person>1090763220834</t:person><t:key>89</t:key><t:born>2009-07-15</t:born>
<t:rank>1</t:rank><t:payer>0099990001</t:payer><t:contract>RO</t:contract><t:member>ADH000001</t:member>
<t:day>2026-11-20</t:day><t:nature>AS</t:nature><t:act>G</t:act></t:question></t:ask>"""


def _text(pattern: str) -> Any:
    return Mandatory(Unicode(pattern=pattern))


class Question(ComplexModel):
    __namespace__ = SPACE
    message = _text("uuid:[0-9a-f-]{36}")
    sender = _text("[0-9]{11}")
    licence = _text("[A-Z0-9-]{1,20}")
    biller = _text("[0-9]{9}")
    speciality = _text("[0-9]{2}")
    person = _text("[0-9]{13}")
    key = _text("[0-9]{2}")
    born = Mandatory(Date)
    rank = Mandatory(Integer)
    payer = _text("[0-9]{10}")
    contract = _text("[A-Z]{2}")
    member = _text("[A-Z0-9]{1,20}")
    day = Mandatory(Date)
    nature = _text("[A-Z]{2}")
    act = _text("[A-Z]{1,5}")


class Answer(ComplexModel):
    __namespace__ = SPACE
    code = Unicode
    label = Unicode
    person = Unicode
    key = Unicode
    born = Date
    rank = Integer
    begin = Date
    end = Date
    orientation = Unicode
    act = Unicode
    formula = Unicode
    rate = Unicode


class Service(ServiceBase):
    @rpc(Question, _returns=Answer)
    def ask(self, question: Question) -> Answer:
        return Answer(
            code="00", label="ok", person=question.person, key=question.key, born=question.born, rank=question.rank,
            begin=date(2026, 1, 1), end=date(2026, 12, 31), orientation="CALCUL_LPS", act=question.act, formula="021",
            rate="100.00",
        )  # fmt: skip


def _application() -> Any:
    wsgi = WsgiApplication(Application([Service], SPACE, in_protocol=Soap12(validator="lxml"), out_protocol=Soap12()))

    async def application(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        start: dict[str, Any] = {}

        def started(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            start.update(status=int(status.split()[0]), headers=headers)

        environment = {
            "REQUEST_METHOD": scope["method"], "PATH_INFO": scope["path"], "QUERY_STRING": "", "SERVER_NAME": "bench",
            "SERVER_PORT": "443", "wsgi.url_scheme": "https", "CONTENT_TYPE": "application/soap+xml; charset=utf-8",
            "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        }  # fmt: skip
        answer = b"".join(wsgi(environment, started))
        headers = [
            (b"content-type", b"application/soap+xml; charset=utf-8"),
            (b"content-length", str(len(answer)).encode()),
        ]
        await send({"type": "http.response.start", "status": start["status"], "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return application


def main() -> None:
    certificate, key, authority = map(Path, sys.argv[1:4])
    tls = ServerTls(certificate, key, (authority,))
    with Listener(_application(), "127.0.0.1", 0, tls, Limits()) as listener:
        sys.stdout.write(f"{listener.address[1]}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
