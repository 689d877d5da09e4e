"""What libxml2 says about a schema fault, in a sentence for people: which element, what was expected, what is there.

The frequent kinds have a sentence of their own; any other is quoted after a generic one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from norms.i18n import tr
from norms.schema import SchemaFault

_SUBJECT: Final = re.compile(
    r"Element '(?P<element>[^']*)'(?:, attribute '(?P<attribute>[^']*)')?: (?P<rest>.*)", re.DOTALL
)
_VALUE: Final = re.compile(r"(?:The value |^)'(?P<value>.*?)' is not ", re.DOTALL)
_QUOTED: Final = re.compile(r"'([^']*)'")
_EXPECTED: Final = re.compile(r"Expected is (?:one of )?\( (?P<names>.*) \)\.")
_QNAME: Final = re.compile(r"\{([^{}]*:[^{}]*)\}([^\s,')]+)")
_FACET_VALUE: Final = re.compile(r"The value '(?P<value>.*)' (?:is|has|ex|und)", re.DOTALL)
_LENGTH: Final = re.compile(r"has a length of '(?P<length>\d+)'.*'(?P<bound>\d+)'", re.DOTALL)


class Told(msgspec.Struct, frozen=True):
    """A fault as told to people. constraint: a stable name of ours; value: the offending text, "" when none."""

    constraint: str
    message: str
    value: str


def tell(fault: SchemaFault, prefixes: Mapping[str, str]) -> Told:
    """Tell a fault. prefixes: namespace -> prefix that the norm uses for it."""
    subject = _SUBJECT.match(fault.text)
    if subject is None:
        return Told("schema", tr("Le message n'est pas valide : {why}", why=fault.text), "")
    element, rest = _shortened(subject["element"], prefixes), subject["rest"].strip()
    name = f"{element}/@{_shortened(subject['attribute'], prefixes)}" if subject["attribute"] else element
    teller = _TELLERS.get(fault.kind.removeprefix("SCHEMAV_"))
    told = teller(name, rest) if teller else None
    if told is None:
        return Told("schema", tr("« {name} » n'est pas valide : {why}", name=name, why=_shortened(rest, prefixes)), "")
    return msgspec.structs.replace(told, message=_shortened(told.message, prefixes))


def _shortened(text: str, prefixes: Mapping[str, str]) -> str:
    """Return the text with `{namespace}name` written as people do."""

    def short(found: re.Match[str]) -> str:
        prefix = prefixes.get(found[1])
        return f"{prefix}:{found[2]}" if prefix else found[2]

    return _QNAME.sub(short, text)


def _value_of(rest: str) -> str:
    found = _VALUE.search(rest) or _FACET_VALUE.search(rest)
    return found["value"] if found else ""


def _enumeration(name: str, rest: str) -> Told:
    values = rest.rpartition(" set {")[2].rstrip(".}")
    return Told(
        "enumeration",
        tr("« {name} » vaut « {value} » ; valeurs admises : {values}.",
           name=name, value=_value_of(rest), values=values.replace("'", "")),
        _value_of(rest),
    )  # fmt: skip


def _pattern(name: str, rest: str) -> Told:
    pattern = rest.partition("accepted by the pattern '")[2].removesuffix("'.")
    return Told(
        "pattern",
        tr("« {name} » vaut « {value} », qui n'a pas la forme « {pattern} ».",
           name=name, value=_value_of(rest), pattern=pattern),
        _value_of(rest),
    )  # fmt: skip


def _datatype(name: str, rest: str) -> Told:
    kind = rest.rpartition(" type '")[2].removesuffix("'.")
    return Told(
        "datatype",
        tr("« {name} » vaut « {value} », qui n'est pas du type « {type} ».",
           name=name, value=_value_of(rest), type=kind),
        _value_of(rest),
    )  # fmt: skip


def _content(name: str, rest: str) -> Told | None:
    expected = _EXPECTED.search(rest)
    names = expected["names"].replace(" ,", ",") if expected else ""
    if rest.startswith("Missing child"):
        return Told(
            "missing-child", tr("Il manque un élément dans « {name} » ; attendu : {names}.", name=name, names=names), ""
        )
    if rest.startswith("This element is not expected"):
        if names:
            message = tr("L'élément « {name} » n'est pas attendu ici ; attendu : {names}.", name=name, names=names)
        else:
            message = tr("L'élément « {name} » n'est pas attendu ici.", name=name)
        return Told("unexpected-child", message, "")
    return None


def _length(constraint: str) -> Callable[[str, str], Told | None]:
    def told(name: str, rest: str) -> Told | None:
        found = _LENGTH.search(rest)
        if found is None:
            return None
        return Told(
            constraint,
            tr("« {name} » compte {length} caractères ; longueur admise : {bound}.",
               name=name, length=found["length"], bound=_bound(constraint, found["bound"])),
            "",
        )  # fmt: skip

    return told


def _bound(constraint: str, bound: str) -> str:
    if constraint.startswith("min"):
        return tr("{bound} au moins", bound=bound)
    return tr("{bound} au plus", bound=bound) if constraint.startswith("max") else tr("{bound} exactement", bound=bound)


def _range(constraint: str) -> Callable[[str, str], Told]:
    def told(name: str, rest: str) -> Told:
        quoted = _QUOTED.findall(rest)
        bound = quoted[-1] if quoted else ""
        relation = {
            "minInclusive": tr("{bound} au moins", bound=bound),
            "maxInclusive": tr("{bound} au plus", bound=bound),
            "minExclusive": tr("plus que {bound}", bound=bound),
            "maxExclusive": tr("moins que {bound}", bound=bound),
        }[constraint]
        return Told(
            constraint,
            tr(
                "« {name} » vaut « {value} » ; admis : {relation}.", name=name, value=_value_of(rest), relation=relation
            ),
            _value_of(rest),
        )

    return told


def _digits(constraint: str) -> Callable[[str, str], Told]:
    def told(name: str, rest: str) -> Told:
        quoted = _QUOTED.findall(rest)
        bound = quoted[-1] if quoted else ""
        if constraint == "fractionDigits":
            message = tr("« {name} » a trop de décimales ; {bound} au plus.", name=name, bound=bound)
        else:
            message = tr("« {name} » a trop de chiffres ; {bound} au plus.", name=name, bound=bound)
        return Told(constraint, message, _value_of(rest))

    return told


def _missing_attribute(name: str, rest: str) -> Told:
    attribute = (_QUOTED.findall(rest) or [""])[0]
    return Told(
        "missing-attribute", tr("L'attribut « {attribute} » manque sur « {name} ».", attribute=attribute, name=name), ""
    )


def _unknown_attribute(name: str, _rest: str) -> Told:
    return Told("unknown-attribute", tr("L'attribut « {name} » n'est pas admis.", name=name), "")


def _text(name: str, _rest: str) -> Told:
    return Told("text", tr("« {name} » contient du texte ; seuls des éléments sont admis.", name=name), "")


def _children(name: str, _rest: str) -> Told:
    return Told("children", tr("« {name} » contient des éléments ; seul du texte est admis.", name=name), "")


def _unknown_element(name: str, _rest: str) -> Told:
    return Told("unknown-element", tr("L'élément « {name} » n'est pas déclaré par les schémas.", name=name), "")


_TELLERS: Final[dict[str, Callable[[str, str], Told | None]]] = {
    "CVC_ENUMERATION_VALID": _enumeration,
    "CVC_PATTERN_VALID": _pattern,
    "CVC_DATATYPE_VALID_1_2_1": _datatype,
    "CVC_DATATYPE_VALID_1_2_2": _datatype,
    "CVC_DATATYPE_VALID_1_2_3": _datatype,
    "ELEMENT_CONTENT": _content,
    "CVC_LENGTH_VALID": _length("length"),
    "CVC_MINLENGTH_VALID": _length("minLength"),
    "CVC_MAXLENGTH_VALID": _length("maxLength"),
    "CVC_MININCLUSIVE_VALID": _range("minInclusive"),
    "CVC_MAXINCLUSIVE_VALID": _range("maxInclusive"),
    "CVC_MINEXCLUSIVE_VALID": _range("minExclusive"),
    "CVC_MAXEXCLUSIVE_VALID": _range("maxExclusive"),
    "CVC_TOTALDIGITS_VALID": _digits("totalDigits"),
    "CVC_FRACTIONDIGITS_VALID": _digits("fractionDigits"),
    "CVC_COMPLEX_TYPE_4": _missing_attribute,
    "CVC_COMPLEX_TYPE_3_2_1": _unknown_attribute,
    "CVC_COMPLEX_TYPE_3_2_2": _unknown_attribute,
    "CVC_COMPLEX_TYPE_2_3": _text,
    "CVC_TYPE_3_1_1": _unknown_attribute,
    "CVC_TYPE_3_1_2": _children,
    "CVC_ELT_1": _unknown_element,
}
