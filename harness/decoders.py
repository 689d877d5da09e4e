"""Decoders of deposits: from the layout that a product writes to the XML that the norm defines, and back.

The layout "xml" is the norm's own. Any other needs a decoder, supplied by an installed package under the entry point
group `poincon.decoders`: its name is the layout, what it names has the two functions of `Decoder`.
Source: docs/formats/sut.md, "deposits".
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Final, Protocol, cast

from norms.errors import DataError, ParseRefusal
from norms.i18n import tr

XML: Final = "xml"
GROUP: Final = "poincon.decoders"


class Decoder(Protocol):
    """Both raise ValueError with a sentence for people when a document is not of the layout."""

    def decode(self, document: bytes) -> bytes:
        """Return the deposit as XML of the norm."""
        ...

    def encode(self, answer: bytes) -> bytes:
        """Return an answer, XML of the norm, in the product's layout."""
        ...


class _Same:
    def decode(self, document: bytes) -> bytes:
        return document

    def encode(self, answer: bytes) -> bytes:
        return answer


@cache
def decoder_of(layout: str) -> Decoder | None:
    """Return the decoder of a layout, None when none is installed."""
    if layout == XML:
        return _Same()
    found = next(iter(entry_points(group=GROUP, name=layout)), None)
    return None if found is None else cast(Decoder, found.load())


def decoded(layout: str, document: bytes) -> bytes:
    """Return a deposit as XML of the norm.

    Raises ParseRefusal "malformed" when it is not of its layout, DataError when the decoder is missing or fails.
    """
    decoder = _needed(layout)
    try:
        return decoder.decode(document)
    except ValueError as bad:
        what = tr("Le document n'est pas au format « {layout} » : {why}.", layout=layout, why=str(bad))
        raise ParseRefusal("malformed", what) from bad
    except Exception as crash:
        raise _crashed(layout, crash) from crash


def encoded(layout: str, answer: bytes) -> bytes:
    """Return an answer in a layout; raises DataError when its decoder is missing, cannot write it, or fails."""
    decoder = _needed(layout)
    try:
        return decoder.encode(answer)
    except ValueError as bad:
        what = tr("Le décodeur « {layout} » ne sait pas écrire la réponse : {why}.", layout=layout, why=str(bad))
        raise DataError(what) from bad
    except Exception as crash:
        raise _crashed(layout, crash) from crash


def _crashed(layout: str, crash: Exception) -> DataError:
    """Return what a decoder's own fault is told as: nothing is known of the document then."""
    return DataError(tr("Le décodeur « {layout} » a échoué ({why}).", layout=layout, why=type(crash).__name__))


def _needed(layout: str) -> Decoder:
    decoder = decoder_of(layout)
    if decoder is None:
        raise DataError(
            tr("Aucun décodeur « {layout} » n'est installé.", layout=layout),
            remedy=tr("Installez le paquet qui le fournit (points d'entrée « {group} »).", group=GROUP),
        )
    return decoder
