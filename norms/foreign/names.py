"""What a draft calls things: message kinds, namespace prefixes, file names, the letters of requirement ids.

All of it depends on the folder's content alone, never on the order in which the disk lists files: the same folder
gives the same names.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lxml import etree

from norms.foreign.wsdl import Name, Operation
from norms.xpath import STANDARD_PREFIXES

LONGEST_PREFIX: Final = 12
_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_RESERVED: Final = frozenset({*STANDARD_PREFIXES, "xml", "xmlns", "xs", "xsd", "soap", "soapenv", "poincon",
                               "con", "prn", "aux", "nul"})  # fmt: skip
_XML: Final = "http://www.w3.org/XML/1998/namespace"


def kinds(operations: Sequence[Operation]) -> dict[Operation, str]:
    """Return the message kind of each operation: its name in capitals and digits.

    Operations of several port types that would share a kind are all called after their port type too; what is still
    the same gets a number in the order of namespace and name.
    """
    plain = {one: _capitals(one.name) for one in operations}
    shared = Counter(plain.values())
    longer = {one: kind if shared[kind] == 1 else _capitals(one.interface.local) + kind for one, kind in plain.items()}
    found: dict[Operation, str] = {}
    taken = Counter(longer.values())
    numbers: Counter[str] = Counter()
    used = {kind for kind, count in taken.items() if count == 1}
    for one in sorted(operations, key=lambda one: (one.interface, one.name, one.file.as_posix())):
        kind = longer[one]
        if taken[kind] > 1:
            numbers[kind] += 1
            while f"{kind}N{numbers[kind]}" in used:
                numbers[kind] += 1
            kind = f"{kind}N{numbers[kind]}"
            used.add(kind)
        found[one] = kind
    return {one: found[one] for one in operations}


def _capitals(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name)
    text = re.sub(r"[^A-Z0-9]", "", plain.upper())
    return text if text[:1].isalpha() else f"K{text}"


def id_letters(norm_id: str) -> str:
    """Return the letters that begin the ids of requirements, claims and scenarios of a norm."""
    return _capitals(norm_id)[:LONGEST_PREFIX]


def prefixes(namespaces: Iterable[str], documents: Iterable[etree._Element]) -> dict[str, str]:
    """Return namespace -> prefix: the one that the documents use most, unless it means something else here."""
    votes: dict[str, Counter[str]] = {}
    for document in documents:
        for node in document.iter():
            if not isinstance(node.tag, str):
                continue
            parent = node.getparent()
            above = {} if parent is None else parent.nsmap
            for prefix, namespace in node.nsmap.items():
                if prefix and above.get(prefix) != namespace:
                    votes.setdefault(str(namespace), Counter())[str(prefix)] += 1
    standard = {uri: prefix for prefix, uri in STANDARD_PREFIXES.items()}
    found: dict[str, str] = {}
    taken = set(_RESERVED)
    for namespace in dict.fromkeys(namespaces):
        if not namespace or namespace == _XML:
            continue
        if namespace in standard:
            found[namespace] = standard[namespace]
            continue
        liked = votes.get(namespace, Counter())
        ranked = sorted(liked, key=lambda prefix: (-liked[prefix], prefix in ("tns", "this"), prefix))
        wanted = [*(one for one in ranked if _NAME.fullmatch(one) and len(one) <= 20), _stem(namespace)]
        choice = next((one for one in wanted if one not in taken), "")
        number = 1
        while not choice:
            number += 1
            choice = f"{wanted[-1]}{number}" if f"{wanted[-1]}{number}" not in taken else ""
        taken.add(choice)
        found[namespace] = choice
    return found


def _stem(namespace: str) -> str:
    """Return a prefix made from the last word of a namespace."""
    words = [word for word in re.split(r"[^A-Za-z]+", namespace) if len(word) > 1 and word.lower() != "xsd"]
    return words[-1].lower()[:10] if words else "ns"


def schema_names(namespaces: Sequence[str], prefix_of: Mapping[str, str]) -> dict[str, str]:
    """Return namespace -> file name of its schema, after its prefix; "" for the namespace without a name."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for namespace in namespaces:
        stem = prefix_of.get(namespace) or ("xml" if namespace == _XML else "sans-espace-de-noms")
        number = 1
        name = stem
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        found[namespace] = f"{name}.xsd"
    return found


def interface_names(operations: Sequence[Operation]) -> dict[Name, str]:
    """Return port type -> the word that names its WSDL file and its address."""
    found: dict[Name, str] = {}
    taken: set[str] = set()
    for interface in sorted({one.interface for one in operations}):
        stem = (
            re.sub(r"[^a-z0-9]+", "-", unicodedata.normalize("NFKD", interface.local).lower()).strip("-") or "service"
        )
        number, name = 1, stem
        while name in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name)
        found[interface] = name
    return found
