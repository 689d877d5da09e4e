"""The practice software of a norm, put together with the cards and certificates of the test PKI."""

from __future__ import annotations

import ssl

from harness.driver import Outcome, Said, Stimulus
from norms.behaviour.software import load_software
from norms.model import Norm
from norms.wire.keys import load_identity
from norms.wire.secure import Signers
from poincon.practice import client_identities
from sandbox import robot
from sandbox.belief import Reader
from sandbox.calling import Caller
from sandbox.pki import TestPki
from sandbox.plan import Plan


def robot_of(norm: Norm, pki: TestPki, plan: Plan) -> robot.Robot:
    """Return the practice software of a norm. plan: its faults and variants."""
    held = client_identities(norm, pki)
    context = ssl.create_default_context(cafile=str(pki.authority))
    if "tls" in held:
        context.load_cert_chain(*held["tls"])
    identities = {use: load_identity(certificate, key) for use, (certificate, key) in held.items()}
    signers = Signers(identities.get("assertion"), identities.get("flow"), identities)
    caller = Caller(context, norm.security.limits.body_bytes)
    return robot.Robot(load_software(norm), signers, caller, Reader(norm, pki.anchors()), plan)


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
