"""What each deviation changes: in the recipe before a message is built, or in the message while it is built."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from lxml import etree

from norms.errors import UsageError
from norms.i18n import tr
from norms.wire import names
from norms.wire.recipe import Context, Parts, Recipe
from norms.wire.wrapping import alter_text

_FAR: Final = timedelta(hours=1)


def _plan(recipe: Recipe, **changes: Any) -> Recipe:
    return recipe if recipe.assertion is None else replace(recipe, assertion=replace(recipe.assertion, **changes))


def restyle(recipe: Recipe, _: Context, **changes: Any) -> Recipe:
    """Change the flow signature where there is one, else the assertion's."""
    if recipe.flow_style:
        return replace(recipe, flow_style=replace(recipe.flow_style, **changes))
    return (
        replace(recipe, assertion_style=replace(recipe.assertion_style, **changes))
        if recipe.assertion_style
        else recipe
    )


def set_parts(recipe: Recipe, _: Context, **changes: Any) -> Recipe:
    """Replace parts of the recipe."""
    return replace(recipe, **changes)


def uncover(recipe: Recipe, _: Context, part: str) -> Recipe:
    """Leave a part out of the flow signature."""
    return replace(recipe, covers=tuple(cover for cover in recipe.covers if cover != part))


def shift_timestamp(recipe: Recipe, context: Context, sign: int) -> Recipe:
    """Move the timestamp well into the past (sign -1) or the future (1)."""
    if recipe.timestamp is None:
        return recipe
    created, expires = recipe.timestamp
    by = sign * (context.skew + (expires - created) + _FAR)
    return replace(recipe, timestamp=(created + by, expires + by))


def shift_assertion(recipe: Recipe, context: Context, sign: int) -> Recipe:
    """Move the assertion's validity well into the past (sign -1) or the future (1)."""
    if recipe.assertion is None:
        return recipe
    start, end = recipe.assertion.not_before, recipe.assertion.not_on_or_after
    by = sign * (context.skew + (end - start) + _FAR)
    return _plan(recipe, not_before=start + by, not_on_or_after=end + by)


def lengthen(recipe: Recipe, _: Context) -> Recipe:
    """Make the assertion live a day longer than allowed."""
    return _plan(recipe, not_on_or_after=recipe.assertion.not_on_or_after + 24 * _FAR) if recipe.assertion else recipe


def readdress(recipe: Recipe, _: Context, audience: str | None) -> Recipe:
    """Address the assertion to somebody else, or (None) to nobody."""
    return _plan(recipe, audience=audience)


def unknown_qualifier(recipe: Recipe, _: Context) -> Recipe:
    """Name the subject with a qualifier that no norm lists."""
    return _plan(recipe, subject=replace(recipe.assertion.subject, qualifier="INCONNU")) if recipe.assertion else recipe


def drop_attribute(recipe: Recipe, context: Context) -> Recipe:
    """Leave out the first attribute that the norm demands."""
    policy = context.policy.assertion
    if policy is None or recipe.assertion is None:
        return recipe
    kept = tuple(item for item in recipe.assertion.attributes if item[0] != policy.attributes[0])
    return _plan(recipe, attributes=kept)


def replay(recipe: Recipe, context: Context) -> Recipe:
    """Use the assertion of an earlier message again."""
    found = None if context.replay_of is None else next(context.replay_of.iter(names.ASSERTION), None)
    if found is None:
        raise UsageError(tr("La déviation « assertion-replayed » demande une requête déjà envoyée."))
    again = copy.deepcopy(found)
    again.tail = None
    return replace(recipe, replayed=again)


def assertion_key(recipe: Recipe, context: Context, identity: str) -> Recipe:
    """Sign the assertion with another key; the issuer and the subject it names are that key's."""
    signer = context.signers.others[identity]
    changed = replace(recipe, assertion_signer=signer)
    if recipe.assertion is None:
        return changed
    subject = recipe.assertion.subject
    if recipe.assertion_signer and subject.name_id == recipe.assertion_signer.common_name:
        subject = replace(subject, name_id=signer.common_name)
    return _plan(changed, issuer=signer.subject, subject=subject)


def flow_key(recipe: Recipe, context: Context, identity: str) -> Recipe:
    """Sign the flow with another key."""
    return replace(recipe, flow_signer=context.signers.others[identity])


def alter_assertion(parts: Parts) -> None:
    """Change the assertion after its signature, before the flow's."""
    if parts.assertion is not None:
        statement = parts.assertion.find(names.ATTRIBUTE_STATEMENT)
        name = parts.assertion.find(f"{names.SUBJECT}/{names.NAME_ID}")
        target = statement if statement is not None and len(statement) else name
        if target is not None:
            alter_text(target)


def alter_body(parts: Parts) -> None:
    """Change the body after everything is signed."""
    alter_text(parts.envelope.body)


def comment_in_identity(parts: Parts) -> None:
    """Cut the NameID in two with a comment, which canonicalization without comments does not see."""
    name = None if parts.assertion is None else parts.assertion.find(f"{names.SUBJECT}/{names.NAME_ID}")
    if name is not None:
        text = name.text or ""
        comment = etree.Comment("")
        comment.tail = text[len(text) // 2 :]
        name.text = text[: len(text) // 2]
        name.insert(0, comment)


def duplicate_identifier(parts: Parts) -> None:
    """Give the header element, which nothing signs, an identifier of a signed part."""
    identifier = parts.envelope.body.get(names.WSU_ID) or next(
        (item.get("ID", "") for item in parts.security.iter(names.ASSERTION)), ""
    )
    parts.security.set("Id", identifier)
