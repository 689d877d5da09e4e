"""Whom an assertion speaks of: the attributes that the norm wants, filled with the values at hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from norms.dynamic import names, resolve
from norms.model import Norm
from norms.wire.assertion import Subject

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def attribute_texts(norm: Norm) -> dict[str, str]:
    """Return the text with `${name}` places that fills each attribute of the assertion, by attribute.

    The norm says it (`values` of its assertion); else it is the value of the attribute's own name in snake case.
    """
    policy = norm.security.request.assertion
    if policy is None:
        return {}
    own = {name: "${" + _HUMP.sub("_", name).lower().replace("-", "_") + "}" for name in policy.attributes}
    return own | dict(zip(policy.attributes, policy.values, strict=False))


def subject_of(norm: Norm, bindings: Mapping[str, str], today: date) -> Subject:
    """Return whom the assertion speaks of; an attribute whose value nobody gave is left out."""
    filled = {
        attribute: resolve(text, bindings, today)
        for attribute, text in attribute_texts(norm).items()
        if names(text) <= bindings.keys()
    }
    return Subject(attributes={attribute: value for attribute, value in filled.items() if value})
