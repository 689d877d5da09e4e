"""XPath written in the files of a simulator: compiled once, with the file and line in every error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml import etree

from norms.errors import DataError, NormError
from norms.functions import functions_for, text_of, xpath
from norms.i18n import tr
from norms.model import Norm
from norms.xpath import variables
from norms.yamlfile import Node, nearest

Variable = str | etree._Element | list[etree._Element]
Variables = dict[str, Variable]


class Expression:
    """One compiled XPath. source: the text its author wrote."""

    __slots__ = ("_compiled", "_names", "_node", "source")

    def __init__(self, norm: Norm, node: Node, known: Iterable[str]) -> None:
        self.source = node.text()
        self._node = node
        self._names = variables(self.source)
        names = frozenset(known)
        for name in sorted(self._names - names):
            raise node.fault(tr("La variable « ${name} » n'existe pas ici.", name=name), nearest(name, sorted(names)))
        try:
            self._compiled = xpath(norm, self.source)
        except (etree.XPathError, DataError) as wrong:
            raise node.fault(
                tr("L'expression XPath « {source} » ne se lit pas : {why}.", source=self.source, why=str(wrong))
            ) from wrong
        try:
            functions_for(norm).check_tables(self.source)
        except NormError as wrong:
            raise wrong if wrong.file else node.fault(wrong.what, wrong.remedy) from wrong

    def value(self, context: etree._Element, given: Variables) -> object:
        """Return the XPath result; raises NormError with the place when it cannot be evaluated."""
        used: dict[str, Any] = {name: given[name] for name in self._names}
        try:
            return self._compiled(context, **used)
        except (etree.XPathError, DataError, ArithmeticError, ValueError) as wrong:
            raise self._node.fault(
                tr("L'expression XPath « {source} » ne se calcule pas : {why}.", source=self.source, why=str(wrong))
            ) from wrong

    def text(self, context: etree._Element, given: Variables) -> str:
        """Return the result as XPath's string() would: of a node-set, its first node."""
        return str(text_of(self.value(context, given)))

    def holds(self, context: etree._Element, given: Variables) -> bool:
        """Return the result as XPath's boolean() would."""
        return bool(self.value(context, given))

    def elements(self, context: etree._Element, given: Variables) -> list[etree._Element]:
        """Return the elements of the result, in document order."""
        result = self.value(context, given)
        return [node for node in result if isinstance(node, etree._Element)] if isinstance(result, list) else []
