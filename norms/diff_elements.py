"""What differs between the places of two norms' messages: come and gone, other names, facets, order of children."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from norms.difference import Change, Kind
from norms.schema_content import Content, Order


def elements(before: Mapping[str, Content], after: Mapping[str, Content]) -> Iterator[Change]:
    """Yield what differs between the places that two schemas describe."""
    names = _replaced(before, after)
    for path in dict.fromkeys((*before, *after)):
        if path in names:
            yield Change("element", "changed", path, "name", *(one.rpartition("/")[2] for one in (path, names[path])))
        elif path not in before or path not in after:
            if path in names.values():
                continue
            kind: Kind = "added" if path in after else "removed"
            side, other = (after, before) if path in after else (before, after)
            above = path.rpartition("/")[0]
            if above in side and above not in other:
                continue  # said by the element around it
            text = side[path].summary
            yield Change("element", kind, path, **({"after": text} if kind == "added" else {"before": text}))
        else:
            yield from _content(path, before[path], after[path])


def _content(path: str, old: Content, new: Content) -> Iterator[Change]:
    for facet in dict.fromkeys((*old.facets, *new.facets)):
        yield from _facet(path, facet, old.facets.get(facet, ()), new.facets.get(facet, ()))
    common = old.order.names() & new.order.names()
    orders: list[Order] = [one.order.only(common) for one in (old, new)]
    if orders[0] != orders[1]:
        yield Change("element", "changed", path, "order", str(orders[0]), str(orders[1]))


def _replaced(before: Mapping[str, Content], after: Mapping[str, Content]) -> dict[str, str]:
    """Return old path -> new path of values that only bear another name: alone in their parent with that content."""

    def alone(side: Mapping[str, Content], other: Mapping[str, Content]) -> dict[tuple[str, str], str]:
        places = [(path.rpartition("/")[0], one, path) for path, one in side.items() if path not in other]
        kinds = Counter((above, one.summary) for above, one, _ in places)
        return {
            (above, one.summary): path
            for above, one, path in places
            if "datatype" in one.facets and kinds[above, one.summary] == 1 and above in other
        }

    olds, news = alone(before, after), alone(after, before)
    return {path: news[key] for key, path in olds.items() if key in news}


def _facet(path: str, facet: str, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[Change]:
    if facet == "enumeration" and old and new:
        for value in old:
            if value not in new:
                yield Change("element", "removed", path, facet, before=value)
        for value in new:
            if value not in old:
                yield Change("element", "added", path, facet, after=value)
    elif old != new:
        yield Change("element", "changed", path, facet, " | ".join(old), " | ".join(new))
