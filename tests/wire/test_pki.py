"""The test PKI: made once, whole, renewed in time, and never over somebody's files."""

from __future__ import annotations

import json
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from wire_kit import Kit

from norms.errors import DataError
from norms.wire.deviations import DEVIATIONS
from sandbox.pki import ensure
from sandbox.pki_files import MANIFEST, install, is_current

SOON = datetime.now(UTC) + timedelta(days=1)


def test_a_pki_is_made_once(tmp_path: Path) -> None:
    first = ensure(tmp_path / "pki")
    content = first.authority.read_bytes()
    assert ensure(tmp_path / "pki").authority.read_bytes() == content
    assert "SANS AUCUNE VALEUR" in (first.folder / "README.txt").read_text("utf-8")
    assert all(first.certificate(name).is_file() and first.key(name).is_file() for name in first.names)
    assert sorted(item.name for item in tmp_path.iterdir()) == [".pki.lock", "pki"]


def test_many_at_once_get_one_pki(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(ensure, [tmp_path / "pki"] * 3))
    assert len({pki.authority.read_bytes() for pki in made}) == 1
    assert made[0].identity("seal").key.key_size == 3072
    assert sorted(item.name for item in tmp_path.iterdir()) == [".pki.lock", "pki"]


@pytest.mark.parametrize("manifest", ["", "[]", '{"layout": "0", "renew": "2999-01-01T00:00:00+00:00"}',
                                      '{"layout": "2", "renew": "2020-01-01T00:00:00+00:00"}'])  # fmt: skip
def test_an_old_or_broken_pki_is_made_again(tmp_path: Path, manifest: str) -> None:
    folder = tmp_path / "pki"
    folder.mkdir()
    (folder / MANIFEST).write_text(manifest)
    (folder / "reste.pem").write_text("vieux")
    pki = ensure(folder)
    assert json.loads((folder / MANIFEST).read_text())["layout"] == "2"
    assert not (folder / "reste.pem").exists()
    assert pki.anchors().authorities


def test_somebody_s_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "roman.txt").write_text("Longtemps")
    with pytest.raises(DataError, match="autre chose"):
        ensure(tmp_path)
    assert (tmp_path / "roman.txt").read_text() == "Longtemps"


def test_a_failed_attempt_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "fichier").write_text("x")
    with pytest.raises(DataError, match="Impossible d'écrire"):
        ensure(tmp_path / "fichier" / "pki")
    folder = tmp_path / "x"
    with pytest.raises(DataError, match="Impossible d'écrire"):
        install(folder, {"sous/dossier.pem": b"1"}, "1", SOON)
    assert [item.name for item in tmp_path.iterdir()] == ["fichier"]


def test_a_set_is_current_until_it_must_be_renewed(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    install(folder, {"a.pem": b"1"}, "1", SOON)
    assert is_current(folder, "1", datetime.now(UTC))
    assert not is_current(folder, "2", datetime.now(UTC))
    assert not is_current(folder, "1", SOON)


def test_every_deviation_finds_its_identity(kit: Kit) -> None:
    for deviation in DEVIATIONS.values():
        if deviation.identity and "request" in deviation.directions:
            assert deviation.identity in kit.others
        if deviation.identity and "response" in deviation.directions:
            assert deviation.identity in kit.amc


@pytest.mark.parametrize("holder", ["cps", "establishment"])
def test_the_two_certificates_of_a_holder_have_one_subject_and_two_keys(kit: Kit, holder: str) -> None:
    authentication, signature = kit.pki.identity(f"{holder}-authentication"), kit.pki.identity(f"{holder}-signature")
    assert authentication.subject == signature.subject
    assert authentication.certificate.public_key() != signature.certificate.public_key()
    assert kit.pki.identity(f"{holder}-signature-other-holder").subject != signature.subject


def test_python_s_tls_accepts_server_and_client_under_strict_rules(kit: Kit) -> None:
    for purpose, name, host in (
        (ssl.PROTOCOL_TLS_CLIENT, "cps-authentication", "localhost"),
        (ssl.PROTOCOL_TLS_CLIENT, "software", "127.0.0.1"),
    ):
        client, server = ssl.SSLContext(purpose), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for context in (client, server):
            context.load_verify_locations(kit.pki.authority)
            context.load_verify_locations(kit.pki.revocations)
            context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_CRL_CHECK_LEAF
        client.load_cert_chain(kit.pki.certificate(name), kit.pki.key(name))
        server.load_cert_chain(kit.pki.certificate("amc-server"), kit.pki.key("amc-server"))
        server.verify_mode = ssl.CERT_REQUIRED
        assert _handshake(client, server, host) == kit.pki.identity(name).certificate
        client.load_cert_chain(kit.pki.certificate("software-revoked"), kit.pki.key("software-revoked"))
        with pytest.raises(ssl.SSLError, match="revoked"):
            _handshake(client, server, host)


def test_an_unknown_name_is_an_error(kit: Kit) -> None:
    with pytest.raises(KeyError):
        kit.pki.certificate("inconnu")


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> x509.Certificate:
    """Shake hands in memory; return the client's certificate as the server saw it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=host)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [ours, theirs]
    for _ in range(10):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                continue
    assert not waiting
    return x509.load_der_x509_certificate(theirs.getpeercert(binary_form=True) or b"")
