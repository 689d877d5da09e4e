"""The behaviour of a norm's practice software: what asks, where `Behaviour` is what answers."""

from __future__ import annotations

from dataclasses import dataclass

from norms.behaviour.conduct import Conduct, read_conduct
from norms.behaviour.deviations import Fault, Variant, read_faults, read_variants
from norms.behaviour.kept import Kept
from norms.behaviour.places import CLIENT_FAULTS, CLIENT_VARIANTS, CONDUCT, simulator_files
from norms.behaviour.words import words_of_conduct
from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm


@dataclass(frozen=True, slots=True)
class Software:
    """How the practice software of a norm behaves, its seeded faults and its conformant variants."""

    norm: Norm
    conduct: Conduct
    faults: tuple[Fault, ...]
    variants: tuple[Variant, ...]


def load_software(norm: Norm) -> Software:
    """Read what the simulator folders of a norm and of those it uses say. Raises NormError with file and line."""
    return _kept(norm)


def _read(norm: Norm) -> Software:
    conduct = read_conduct(simulator_files(norm, CONDUCT), norm)
    if conduct is None:
        raise NormError(
            tr("La norme {ref} ne dit pas comment un logiciel se conduit ({file}).", ref=norm.ref, file=CONDUCT),
            file=norm.root,
        )
    words = words_of_conduct(conduct, norm)
    return Software(
        norm,
        conduct,
        read_faults(simulator_files(norm, CLIENT_FAULTS), norm, words),
        read_variants(simulator_files(norm, CLIENT_VARIANTS), norm, words),
    )


_kept = Kept(_read)
