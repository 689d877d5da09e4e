"""Judging the steps of one case in order, each on the exchanges recorded for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.casesecurity import CaseSecurity
from harness.chainjudge import ChainJudge
from harness.checks.base import Scene
from harness.checks.series import kind_of_request
from harness.context import JudgeContext
from harness.errors import SuiteFault
from harness.evaluation import Evaluation, Judged
from harness.findings import FindingMaker
from harness.observed import Direction, Observed
from harness.places import spots
from harness.plan import Plan, Planned, plan
from harness.record import MOST_ARRIVALS, MOST_BYTES, Blame, Exchange, Finding, unanswered
from harness.transport import judge_no_answer
from norms.functions import xpath
from norms.i18n import mark, tr
from norms.model import Norm, Service
from scenarios.bindings import COPY
from scenarios.model import Case, Step


class CaseJudge:
    """Judges one case. exchanges: everything recorded for it, in any order."""

    def __init__(self, context: JudgeContext, maker: FindingMaker, case: Case, exchanges: Sequence[Exchange]) -> None:
        self._context, self._maker, self._case = context, maker, case
        self._exchanges = sorted(exchanges, key=lambda each: (each.step, each.number, each.id))
        self._security = CaseSecurity(context)
        self._direction: Direction = "response" if case.role == "server" else "request"
        self._earlier: dict[int, Observed] = {}
        self._read: dict[tuple[str, str], Observed] = {}
        self._seen = False
        self._judged = Judged()
        self._chain = ChainJudge(context, maker, self._direction)

    def run(self) -> Judged:
        """Return what the case gave. Raises SuiteFault or DataError when the suite makes no sense."""
        for number, step in enumerate(self._case.steps, 1):
            if not self._judged.sound:
                # What an earlier step did not achieve would be blamed a second time here.
                self._judged.skipped += len(step.expect)
                continue
            judged = self._step(number, step)
            self._keep(number, step, judged)
            self._judged.add(judged)
            self._chain.add(self._messages(number, step), judged)
        self._judged.add(self._chain.run())
        self._judged.findings += callers_findings(self._context.norm, self._maker, self._case, self._exchanges)
        return self._judged

    def _step(self, number: int, step: Step) -> Judged:
        if step.send:
            return self._sent(number, step)
        if step.await_:
            return self._awaited(number, step)
        if step.expect:
            return self._quiet(number, step)
        return Judged()

    def _sent(self, number: int, step: Step) -> Judged:
        """Judge a step of role server."""
        recorded = self._of(number, ("step",)) or self._of(number, ("preamble",))
        if len(recorded) < max(1, step.parallel):
            return self._missing(step, f"{self._case.id}#{number}")
        observed = tuple(self._observed(exchange, step.send) for exchange in recorded)
        controls = [self._observed(each, each.kind or step.send) for each in self._of(number, ("control",))]
        retries = [self._observed(each, step.send) for each in self._of(number, ("retry",))]
        total = Judged()
        plans = [plan(self._context, self._case, step, each.exchange) for each in observed]
        for each, planned in zip(observed, plans, strict=True):
            if each.arrived:
                total.add(self._evaluation(step, each, observed, planned).run())
            else:
                total.add(judge_no_answer(self._maker, each, planned, controls, retries))
        self._across(step, observed, plans[0], total)
        if total.sound and total.readable:
            self._earlier[number] = observed[0]
        return total

    def _across(self, step: Step, observed: tuple[Observed, ...], planned: Plan, total: Judged) -> None:
        """Judge the checks that look at all exchanges of the step at once."""
        for each in planned.all:
            if not each.check.whole_step:
                continue
            if total.sound and total.readable and not any(found.verdict == "error" for found in total.findings):
                total.add(self._evaluation(step, observed[0], observed, planned).whole_step(each))
            else:
                total.skipped += 1

    def _awaited(self, number: int, step: Step) -> Judged:
        """Judge a message of the product that had to arrive (role client)."""
        recorded = [self._observed(each, step.await_) for each in self._of(number, ("step",))]
        if not recorded:
            return self._missing(step, f"{self._case.id}#{number}")
        arrived = tuple(each for each in recorded if each.arrived and self._may_be(each, step.await_))
        ours = next((each.exchange for each in recorded if unanswered(each.exchange)), None)
        if not arrived and ours is None:
            return self._unobserved(step, recorded)
        total = Judged()
        for each in arrived:
            if ours and each.exchange.number > ours.number:
                break
            planned = plan(self._speaking(step.await_), self._case, step, each.exchange)
            total.add(self._evaluation(step, each, arrived, planned).run())
        if ours:
            total.add(self._unanswered(ours))
        self._seen = total.readable
        if total.sound and total.readable:
            self._earlier[number] = arrived[0]
        return total

    def _quiet(self, number: int, step: Step) -> Judged:
        """Judge a time in which nothing of some kinds may arrive (role client)."""
        recorded = self._of(number, ("step",))
        if not recorded:
            return self._missing(step, f"{self._case.id}#{number}")
        kind = self._context.norm.services[0].kind
        observed = tuple(self._observed(each, each.kind or kind) for each in recorded)
        if ours := next((each for each in recorded if unanswered(each)), None):
            return self._unanswered(ours, skipped=len(step.expect))
        planned = plan(self._context, self._case, step, recorded[0])
        total = Judged()
        for each in planned.own:
            if not each.check.whole_step:
                raise SuiteFault(tr("Le contrôle « {nom} » n'a pas de message à lire ici.", nom=each.name))
            total.add(self._evaluation(step, observed[0], observed, planned).whole_step(each))
        return total

    def _may_be(self, observed: Observed, kind: str) -> bool:
        """Tell whether a request may be of the kind awaited: it is, or nobody can tell what it is."""
        found = kind_of_request(self._context.suite_norm, observed)
        return found == kind or not found

    def _unanswered(self, exchange: Exchange, skipped: int = 0) -> Judged:
        """Judge a request that did not get the answer that the step wants: what the product does next says nothing."""
        if unanswered(exchange) == "failed":
            what = tr("la réponse prévue n'a pas pu être donnée : {detail}", detail=exchange.detail)
            finding = self._maker.incident("", "", exchange.id, what)
        else:
            finding = self._maker.unclear(
                "", "", exchange.id, "", "answered-otherwise",
                mark("La demande a reçu une autre réponse que celle que le scénario prépare : {trouve}."),
                tr("une réponse que le scénario peut préparer"),
                exchange.detail,
            )  # fmt: skip
        return Judged([finding], skipped=skipped, sound=False)

    def _unobserved(self, step: Step, recorded: Sequence[Observed]) -> Judged:
        observed, actual = recorded[0], tr("rien de lisible n'est arrivé à temps")
        blame: Blame = ""
        if any(each.exchange.driver == "failed" for each in recorded):
            blame, actual = "CONFIG", _driver_said(observed)
        elif any(each.outcome in ("tls", "refused") for each in recorded):
            blame, actual = "CONFIG", _heard(observed)
        elif any(each.outcome == "bad-http" for each in recorded):
            blame, actual = "NETWORK", _heard(observed)
        elif issue := observed.exchange.told.outcome:
            actual = tr("le pilote annonce « {issue} », mais rien de lisible n'est arrivé", issue=issue)
        elif announced := next((each.exchange.told.outcome for each in recorded if each.exchange.told.outcome), ""):
            actual = tr("le pilote annonce « {issue} », mais rien de lisible n'est arrivé", issue=announced)
        finding = self._maker.unclear(
            step.expect[0].requirement if step.expect else "",
            step.expect[0].check if step.expect else "",
            observed.exchange.id,
            blame,
            "not-observed",
            mark("Le message attendu du produit n'a pas été observé : {trouve}."),
            tr("un message « {genre} »", genre=step.await_),
            actual,
        )
        return Judged([finding], skipped=len(step.expect), sound=False, readable=False)

    def _missing(self, step: Step, place: str) -> Judged:
        """Judge a step of which nothing, or not all, was recorded."""
        finding = self._maker.unclear(
            step.expect[0].requirement if step.expect else "",
            step.expect[0].check if step.expect else "",
            place,
            "LAB",
            "exchange-missing",
            mark("L'étape n'a pas été exécutée en entier : {trouve}."),
            tr("un échange enregistré pour chaque envoi de l'étape"),
            tr("des échanges manquent"),
        )
        return Judged([finding], skipped=len(step.expect), sound=False, readable=False)

    def _keep(self, number: int, step: Step, judged: Judged) -> None:
        """Make sure that what later steps use was there; without it they say nothing of the product."""
        observed = self._earlier.get(number)
        if observed is None or judged.findings:
            return
        for name, expression in sorted(step.keep.items()):
            if spots(xpath(observed.norm, expression)(observed.root), observed.norm):
                continue
            finding = self._maker.unclear(
                step.expect[0].requirement if step.expect else "",
                step.expect[0].check if step.expect else "",
                observed.exchange.id,
                "CONFIG",
                "kept-value-missing",
                mark("La valeur dont la suite du cas a besoin manque : {trouve}."),
                tr("une valeur à « {place} »", place=expression),
                tr("« {nom} » introuvable", nom=name),
            )
            judged.add(Judged([finding], sound=False))

    def _of(self, number: int, purposes: tuple[str, ...]) -> list[Exchange]:
        return [each for each in self._exchanges if each.step == number and each.purpose in purposes]

    def _messages(self, number: int, step: Step) -> list[Observed]:
        """Return the exchanges that a step itself asked for, copies in their order."""
        kind = step.send or step.await_
        of_step = [self._observed(each, kind) for each in self._of(number, ("step",))] if kind else []
        return sorted(of_step, key=lambda each: (int(each.exchange.bindings.get(COPY, "0")), each.exchange.number))

    def _observed(self, exchange: Exchange, kind: str) -> Observed:
        """Return what was observed in an exchange as one of that kind: read once, whoever asks."""
        key = (exchange.id, kind)
        if key not in self._read:
            norm = self._speaking(kind).norm
            self._read[key] = Observed(norm, self._service(kind), exchange, self._direction)
        return self._read[key]

    def _speaking(self, kind: str) -> JudgeContext:
        return self._context.speaking(kind)

    def _service(self, kind: str) -> Service:
        service = self._speaking(kind).norm.service(kind)
        if service is None:
            raise SuiteFault(tr("La norme ne connaît pas le message « {genre} ».", genre=kind))
        return service

    def _evaluation(self, step: Step, observed: Observed, siblings: tuple[Observed, ...], planned: Plan) -> Evaluation:
        def scene(each: Planned) -> Scene:
            return Scene(
                context=self._speaking(observed.service.kind),
                case=self._case,
                step=step,
                expectation=each.expectation,
                values=each.values,
                observed=observed,
                siblings=siblings,
                earlier=self._earlier,
                security=self._security,
                seen_before=self._seen,
                always=each.always,
            )

        return Evaluation(self._maker, observed, planned, scene)


def callers_findings(norm: Norm, maker: FindingMaker, case: Case, exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Yield what makes a case of role client unclear as a whole: several callers, or too many calls."""
    if case.role != "client":
        return
    arrived = [each for each in exchanges if each.outcome == "received"]
    place = arrived[0].id if arrived else case.id
    # A product may hold one certificate for each norm that it speaks.
    callers = [
        {each.tls.peer for each in arrived if each.tls.peer and speaker.service(each.kind) is not None}
        for speaker in norm.speakers
    ]
    strangers = {each.tls.peer for each in arrived if each.tls.peer and norm.speaking(each.kind) is None}
    most = max(map(len, callers)) + len(strangers.difference(*callers))
    if most > 1:
        yield maker.unclear(
            "", "", place, "CONFIG", "several-callers",
            mark("Plusieurs produits ont appelé la même session : {trouve}."),
            tr("un seul certificat de client dans un cas"),
            tr("{nombre} certificats de client différents", nombre=most),
        )  # fmt: skip
    if any(each.outcome == "too-large" for each in exchanges):
        yield maker.unclear(
            "", "", place, "CONFIG", "too-many-calls",
            mark("Le cas a reçu trop de demandes pour être jugé : {trouve}."),
            tr("au plus {nombre} demandes et {taille} Mio dans un cas", nombre=MOST_ARRIVALS, taille=MOST_BYTES >> 20),
            tr("{nombre} demandes gardées, d'autres écartées", nombre=len(arrived)),
        )  # fmt: skip


def _heard(observed: Observed) -> str:
    """Return what arrived that nobody can read."""
    detail = observed.exchange.detail
    return tr("n'est arrivé que : {detail}", detail=detail) if detail else tr("rien de lisible n'est arrivé à temps")


def _driver_said(observed: Observed) -> str:
    detail = observed.exchange.detail
    return tr("le pilote a échoué : {detail}", detail=detail) if detail else tr("le pilote a échoué")
