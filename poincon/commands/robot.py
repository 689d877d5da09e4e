"""`poincon sandbox robot`: the practice software of a norm as a driver, a line in, a line out."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import TypeVar

import msgspec

from norms import loader
from norms.behaviour import Fault, Variant
from norms.behaviour.software import load_software
from norms.errors import UsageError
from norms.i18n import tr
from norms.yamlfile import nearest
from poincon.places import sandbox_keys
from poincon.software import robot_of
from sandbox.capture import HarCapture
from sandbox.plan import Plan
from sandbox.robot import Robot, Stimulus, Told

_Item = TypeVar("_Item", Fault, Variant)


def robot(arguments: Namespace) -> int:
    """Read stimuli from standard input until it ends; print what the software tells of each."""
    norm = loader.load(arguments.norm)
    software = load_software(norm)
    faults = [_chosen(software.faults, name) for name in arguments.fault]
    variants = [_chosen(software.variants, name) for name in arguments.variant]
    with HarCapture(arguments.capture) if arguments.capture is not None else nullcontext() as capture:
        acting = robot_of(norm, sandbox_keys(arguments.data), Plan(faults, variants), capture)
        for line in sys.stdin:
            if line.strip():
                sys.stdout.write(msgspec.json.encode(_told(acting, line)).decode() + "\n")
                sys.stdout.flush()
    return 0


def _told(acting: Robot, line: str) -> Told:
    try:
        return acting.act(msgspec.json.decode(line, type=Stimulus))
    except msgspec.MsgspecError as error:
        return Told("failed", tr("La consigne ne se lit pas : {why}.", why=error))


def _chosen(items: Sequence[_Item], name: str) -> _Item:
    found: Iterator[_Item] = (item for item in items if item.id == name)
    item = next(found, None)
    if item is None:
        raise UsageError(
            tr("« {id} » n'existe pas. {remedy}", id=name, remedy=nearest(name, [each.id for each in items]))
        )
    return item
