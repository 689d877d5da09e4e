"""Norm + scenarios + declaration → suite: the executable cases, what is not selected and why, and the digest.

Pure: the same inputs give the same bytes. Source: docs/formats/scenario.md and docs/formats/sut.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from norms.dynamic import names, unknown_name
from norms.errors import DataError, NormError
from norms.i18n import tr
from norms.model import Norm
from norms.yamlfile import nearest
from scenarios.bindings import Source, address_value, bind, canonical_texts, choose
from scenarios.declaration import Declaration
from scenarios.edits import TRIAL_CLOCK
from scenarios.model import Case, NotSelected, Role, Scenario, Step, Suite
from scenarios.rendering import build_message
from scenarios.selection import Selection
from scenarios.vocabulary import CHECKS

FORMAT: Final = "poincon-suite/1"
# What an earlier answer will give: any text will do to try the edits of a scenario.
_TRIAL_VALUE: Final = "1"


def compile_suite(
    norm: Norm,
    scenarios: Iterable[Scenario],
    declaration: Declaration | None,
    role: Role,
    *,
    derived: Sequence[Case] | None = None,
) -> Suite:
    """Return the suite of `norm` for products of `role`.

    declaration: None compiles for every profile and claim, to be looked at, not run; derived: the derived cases
    (default: those of `scenarios.derived.derive` for role server). Raises DataError at the scenario's line when a
    value, pool or edit of it does not fit.
    """
    _check_always(norm)
    if derived is None:
        from scenarios.derived import derive

        derived = derive(norm) if role == "server" else ()
    written = sorted((item for item in scenarios if item.role == role), key=lambda item: item.id)
    whole = _source_digest(norm, written, derived)
    selection, source = Selection(norm, declaration), Source(norm, declaration)
    cases: list[Case] = []
    not_selected: list[NotSelected] = []
    for scenario in written:
        reason = selection.refusal(scenario)
        if reason:
            not_selected.append(NotSelected(scenario.id, reason))
        else:
            cases.extend(_written(scenario, selection, norm))
    off = _kinds_off(written, {item.id for item in not_selected})
    for case in derived:
        if case.steps[0].send in off:
            not_selected.append(
                NotSelected(case.id, tr("Le service {kind} n'est pas déclaré.", kind=case.steps[0].send))
            )
        elif all(map(selection.applies, case.requirements)):
            cases.append(msgspec.structs.replace(case, profile=(selection.profiles or ("",))[0]))
        else:
            not_selected.append(NotSelected(case.id, tr("L'exigence ne s'applique pas à la déclaration.")))
    bound = _bound(norm, cases, source)
    plausible = {service.kind: canonical_texts(norm, service.kind) for service in norm.tested_services("server")}
    for case in bound:
        _try(norm, case, declaration, plausible)
    suite = Suite(
        format=FORMAT,
        norm=norm.ref,
        revision=norm.revision,
        provenance=norm.provenance,
        norm_digest=norm.digest,
        role=role,
        cases=tuple(bound),
        not_selected=tuple(not_selected),
        digest="",
        source=whole,
    )
    return msgspec.structs.replace(suite, digest=_suite_digest(suite, declaration))


def suite_bytes(suite: Suite) -> bytes:
    """Return the canonical JSON of the suite: sorted keys, UTF-8, one final line feed."""
    return msgspec.json.format(msgspec.json.encode(suite, order="sorted"), indent=1) + b"\n"


def load_suite(data: bytes) -> Suite:
    """Read what `suite_bytes` wrote; raise DataError on anything else."""
    try:
        suite = msgspec.json.decode(data, type=Suite, strict=True)
    except msgspec.MsgspecError as bad:
        raise DataError(tr("La suite ne se lit pas : {why}.", why=str(bad))) from bad
    if suite.format != FORMAT:
        raise DataError(
            tr("Le format de suite « {format} » est inconnu.", format=suite.format),
            remedy=tr("Utilisez la version de Poinçon qui l'a écrite."),
        )
    return suite


def session_values(norm: Norm) -> Iterator[str]:
    """Yield the names of the values that a session of role client adds: the addresses of its services, by kind."""
    for speaker in norm.speakers:
        for service in speaker.services:
            yield address_value(service.kind)
            yield address_value(service.kind, trusted=False)


def kinds_sent(suite: Suite) -> tuple[str, ...]:
    """Return the message kinds that the suite sends: the services whose address a run needs."""
    return tuple(dict.fromkeys(step.send for case in suite.cases for step in case.steps if step.send))


def _kinds_off(scenarios: Iterable[Scenario], not_selected: set[str]) -> frozenset[str]:
    """Return the kinds that written scenarios send, none of which is selected: services the product does not offer."""
    sent: dict[bool, set[str]] = {True: set(), False: set()}
    for scenario in scenarios:
        sent[scenario.id in not_selected].update(step.send for step in scenario.steps)
    return frozenset(sent[True] - sent[False])


def _written(scenario: Scenario, selection: Selection, norm: Norm) -> Iterator[Case]:
    steps = selection.steps_of(scenario.steps)
    for profile in selection.profiles_of(scenario):
        yield Case(
            id=f"{scenario.id}@{profile}" if scenario.profiles else scenario.id,
            scenario=scenario.id,
            origin="written",
            title=scenario.title,
            purpose=scenario.purpose,
            role=scenario.role,
            profile=profile,
            given=scenario.given or norm.default_given,
            bindings={},
            steps=steps,
            requirements=cited(steps),
            exclusive=scenario.exclusive,
            file=scenario.file,
        )


def cited(steps: Iterable[Step]) -> tuple[str, ...]:
    """Return the requirements that the steps cite, each once, in the order of the page."""
    return tuple(dict.fromkeys(item.requirement for step in steps for item in step.expect))


def _bound(norm: Norm, cases: Sequence[Case], source: Source) -> list[Case]:
    turns: dict[str, int] = {}
    bound = []
    for case in cases:
        given = source.given(case.given or norm.default_given, case.profile, case.file, case.steps[0].line)
        exclusive = case.exclusive or given.exclusive
        entry = choose(case.id, turns.get(given.pool, 0), exclusive, given.entries)
        if exclusive:
            turns[given.pool] = turns.get(given.pool, 0) + 1
        bound.append(
            msgspec.structs.replace(
                case, given=given.pool, bindings=source.bindings(case.profile, entry), exclusive=exclusive
            )
        )
    return bound


def _try(norm: Norm, case: Case, declaration: Declaration | None, plausible: dict[str, dict[str, str]]) -> None:
    """Build every message of the case once, so that what does not fit is found before anything is sent.

    plausible: by kind, values for what only a declaration supplies.
    """
    known = bind(case.bindings, TRIAL_CLOCK, case.file) | dict.fromkeys(session_values(norm), _TRIAL_VALUE)
    for step in case.steps:
        if declaration is None and step.send:
            known = {**plausible[step.send], **known}
        _check_names(norm, case, step, known, declaration)
        if step.send:
            _try_message(norm, case, step, known, declaration)
        known = {**known, **dict.fromkeys(step.keep, _TRIAL_VALUE)}


def _try_message(norm: Norm, case: Case, step: Step, known: dict[str, str], declaration: Declaration | None) -> None:
    try:
        build_message(norm, case, step, known, TRIAL_CLOCK)
    except DataError as bad:
        if declaration is None or bad.file != str(norm.root / "norm.yaml"):
            raise
        raise DataError(
            bad.what,
            file=declaration.file,
            remedy=tr(
                "Donnez-la sous « laboratory: values » ou dans la personne du groupe « {pool} ».", pool=case.given
            ),
        ) from bad


def _check_names(norm: Norm, case: Case, step: Step, known: dict[str, str], declaration: Declaration | None) -> None:
    asked = {extra.name for extra in norm.extra_values}
    stimulus = (step.stimulus.fr, step.stimulus.en) if step.stimulus else ()
    # In role client an edit of the answer may use what was kept of the request it answers.
    own = (*step.edits.values(), *step.insert.values())
    placed = [(text, step.line) for text in (*stimulus, *step.data.values(), *(own if step.send else ()))]
    placed += [(text, item.line) for item in step.expect for text in (item.value, *item.values)]
    for text, line in placed:
        for name in sorted(names(text)):
            if name not in known and name in asked and declaration is not None:
                raise DataError(
                    tr("La valeur « {name} » manque.", name=name),
                    file=declaration.file,
                    line=declaration.lines.get(name, 0),
                    remedy=tr("Donnez-la sous « ixit »."),
                )
            if name not in known:
                raise unknown_name(name, known, case.file, line)


def _check_always(norm: Norm) -> None:
    for always in norm.always:
        if always.check not in CHECKS:
            raise NormError(
                tr("Le contrôle « {check} » de « always » est inconnu.", check=always.check),
                file=norm.root / "norm.yaml",
                remedy=nearest(always.check, CHECKS),
            )


def _source_digest(norm: Norm, scenarios: Sequence[Scenario], derived: Sequence[Case]) -> str:
    return _digest({"format": FORMAT, "norm": norm.digest, "scenarios": scenarios, "derived": derived})


def _suite_digest(suite: Suite, declaration: Declaration | None) -> str:
    claims = declaration.ics if declaration else {}
    return _digest({"suite": suite, "claims": claims})


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
