"""The practice software of a norm, put together with the cards and certificates of the test PKI."""

from __future__ import annotations

import ssl
from typing import Final

from harness.driver import Outcome, Said, Stimulus
from norms.behaviour.software import load_software
from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm
from norms.wire.keys import load_identity
from norms.wire.secure import Signers
from poincon.practice import client_identities
from sandbox import robot
from sandbox.belief import Reader
from sandbox.calling import Caller
from sandbox.capture import Capture
from sandbox.pki import TestPki
from sandbox.plan import Plan
from sandbox.speaker import Means

ROBOTS: Final = 16
"""Client cases at once: they mostly wait."""


def robot_of(norm: Norm, pki: TestPki, plan: Plan, capture: Capture | None = None) -> robot.Robot:
    """Return the practice software of a norm, which speaks its companions as well.

    plan: its faults and variants; capture: where its exchanges are written, None = nowhere.
    """
    means = {spoken.ref: _means(spoken, pki, plan, capture) for spoken in norm.speakers}
    return robot.Robot(load_software(norm), means, plan)


def _means(norm: Norm, pki: TestPki, plan: Plan, capture: Capture | None) -> Means:
    """Return what speaks one norm: each asks for a certificate of its own kind."""
    held = client_identities(norm, pki)
    context = ssl.create_default_context(cafile=str(pki.authority))
    if plan.trusts_any_server:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    identity = plan.tls_identity
    if identity in held:
        context.load_cert_chain(*held[identity])
    elif identity not in ("tls", "none"):
        raise NormError(tr("Le logiciel d'essai n'a pas d'identité « {nom} ».", nom=identity))
    identities = {use: load_identity(certificate, key) for use, (certificate, key) in held.items()}
    signers = Signers(identities.get("assertion"), identities.get("flow"), identities)
    caller = Caller(context, norm.security.limits.body_bytes, capture)
    return Means(signers, caller, Reader(norm, pki.anchors()))


class RobotActor:
    """The practice software in the place of a driver, in this process: each stimulus has a robot of its own."""

    def __init__(self, norm: Norm, pki: TestPki, plan: Plan) -> None:
        self._robot = robot_of(norm, pki, plan)

    def act(self, stimulus: Stimulus) -> Outcome:
        """Carry out a stimulus."""
        told = self._robot.again().act(robot.Stimulus(stimulus.data, stimulus.endpoints))
        return Said(told.outcome, told.message, told.amounts).outcome_of_it()

    def close(self) -> None:
        """Nothing runs between two stimuli."""
