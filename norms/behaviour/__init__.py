"""What a partner answers: an interpreter of a norm's `simulator/` folder. Pure, but for the state it is given.

`load(norm)` reads population.yaml, decisions.yaml, answers/*.xml, faults.yaml and variants.yaml.
"""

from norms.behaviour.behaviour import Behaviour, load
from norms.behaviour.decisions import NO_OVERRIDES, Answer, Circumstances, IdSource, Overrides, RandomIds
from norms.behaviour.deviations import Change, Described, Fault, Variant
from norms.behaviour.population import Entry, Pool, Population
from norms.behaviour.state import State

__all__ = [
    "NO_OVERRIDES",
    "Answer",
    "Behaviour",
    "Change",
    "Circumstances",
    "Described",
    "Entry",
    "Fault",
    "IdSource",
    "Overrides",
    "Pool",
    "Population",
    "RandomIds",
    "State",
    "Variant",
    "load",
]
