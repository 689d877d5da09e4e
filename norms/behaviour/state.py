"""What a practice partner remembers between two requests. One `State` per world; nothing here is a norm's."""

from __future__ import annotations

import heapq
import threading
from collections import OrderedDict
from typing import Final

import msgspec
from lxml import etree

CAPACITY: Final = 20_000


class Remembered(msgspec.Struct, frozen=True):
    """An answer that must be given again: the row that decided, its values and its lines.

    until: last day on which it is repeated (ISO date), "" = for ever.
    """

    row: str
    values: dict[str, str]
    lines: tuple[dict[str, str], ...]
    until: str = ""


class State:
    """Keyed items in named collections, sequences, and answers to repeat.

    `xml` is the live tree that decisions see as `$state`: one element per item, named like its collection, with
    attributes key and until (ISO date, "" = never ends) and one child element per value. Each collection keeps its
    newest 20,000 items, so that memory stays flat. Any thread may use it, one at a time: `turn` is for those who share.
    """

    def __init__(self) -> None:
        self.turn: Final = threading.Lock()
        self.xml: Final = _unshared("state")
        # Each item with the proxies of its values: lxml gives a foreign node without one to another document.
        self._collections: dict[str, OrderedDict[str, tuple[etree._Element, ...]]] = {}
        self._ends: list[tuple[str, str, str]] = []
        self._sequences: dict[str, int] = {}
        self._answers: OrderedDict[tuple[str, str], Remembered] = OrderedDict()

    def put(self, collection: str, key: str, values: dict[str, str], until: str = "") -> None:
        """Write an item, in place of one with the same key."""
        self.remove(collection, key)
        node = etree.SubElement(self.xml, collection, key=key, until=until)
        children = [etree.SubElement(node, name) for name in values]
        for child, value in zip(children, values.values(), strict=True):
            child.text = value
        items = self._collections.setdefault(collection, OrderedDict())
        items[key] = (node, *children)
        if until:
            heapq.heappush(self._ends, (until, collection, key))
        if len(items) > CAPACITY:
            self.remove(collection, next(iter(items)))

    def recall(self, collection: str, key: str) -> etree._Element | None:
        """Return the item of that key or None."""
        items = self._collections.get(collection)
        return items[key][0] if items is not None and key in items else None

    def remove(self, collection: str, key: str) -> None:
        """Forget an item; nothing happens when there is none."""
        items = self._collections.get(collection)
        if items is not None and key in items:
            self.xml.remove(items.pop(key)[0])

    def expire(self, collection: str, key: str, until: str) -> None:
        """Give an existing item an end (ISO date, its last day)."""
        node = self.recall(collection, key)
        if node is not None:
            node.set("until", until)
            heapq.heappush(self._ends, (until, collection, key))

    def sweep(self, today: str) -> None:
        """Forget what ended before `today` (ISO date)."""
        while self._ends and self._ends[0][0] < today:
            _, collection, key = heapq.heappop(self._ends)
            node = self.recall(collection, key)
            if node is not None and "" < (node.get("until") or "") < today:
                self.remove(collection, key)

    def next(self, sequence: str) -> int:
        """Return 1, 2, 3 … for each name."""
        number = self._sequences.get(sequence, 0) + 1
        self._sequences[sequence] = number
        return number

    def remember(self, kind: str, key: str, answer: Remembered) -> None:
        """Keep an answer to give it again."""
        self._answers[kind, key] = answer
        if len(self._answers) > CAPACITY:
            self._answers.popitem(last=False)

    def remembered(self, kind: str, key: str, today: str) -> Remembered | None:
        """Return the answer kept under that key and not ended before `today` (ISO date), or None."""
        answer = self._answers.get((kind, key))
        return answer if answer is not None and (not answer.until or answer.until >= today) else None


def _unshared(name: str) -> etree._Element:
    """Return an element whose document shares its dictionary of names with no thread that lives on.

    lxml gives every document of a thread one dictionary, and libxml2 guards none: whoever writes into a document of
    another thread, while that one parses, corrupts the memory of the process. The thread that makes this one ends.
    """
    made: list[etree._Element] = []
    maker = threading.Thread(target=lambda: made.append(etree.Element(name)), name="state")
    maker.start()
    maker.join()
    return made[0]
