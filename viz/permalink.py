"""The page's address: what it asks for, checked, and the explorer's value that shows it.

    ?tab=compare&trace=NAME&step=5&position=61&rule=dawn&set.low=0.4      steps are counted from 1, as on the page

A trace's name is a capability: 128 random bits, so whoever holds an address may look at its trace, and nobody else can find it.
Renaming and deleting are for its owner, who is known by a key that the browser tab keeps and no address holds: see
`TraceStore.meet`. The address names the settings as they are set, and the trace the ones that it was made with: what a link
that runs again would need is all there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dawn.errors import DawnError, TraceError
from dawn.rules import Rule, make_rule, rule_specs, settings_of
from dawn.settings import Choice, Spec, Whole
from viz.lab import EXAMPLE, Lab, facts_of
from viz.store import Entry

TABS = ("explore", "compare", "race", "learn", "about")
SETTING = "set."
LONGEST_PART = 200
GONE = (
    "The trace that this address names is no longer on this server, which has started anew or made room for newer ones. "
    "Shown instead is the recorded example. A saved trace can be opened again under Files."
)


@dataclass(frozen=True, slots=True)
class Address:
    """What an address asks for. step: from 0; plan: the rule as its settings were set, if not as recorded; wrong: what in it
    was refused, in words. None: not asked for."""

    tab: str | None = None
    trace: str | None = None
    step: int | None = None
    position: int | None = None
    plan: Rule | None = None
    wrong: tuple[str, ...] = ()


def read(asked: object, recorded: Rule | None = None) -> Address:
    """An address from its parts, strings by name, as they come from outside. recorded: the rule of the trace, whose settings
    stand in for those that the address leaves out."""
    parts = {k: v for k, v in asked.items() if isinstance(v, str)} if isinstance(asked, Mapping) else {}
    found, wrong = {"trace": parts.get("trace")}, []
    readers = {"tab": tab, "step": lambda text: whole(text, 1) - 1, "position": lambda text: whole(text, 0)}
    for name, reader in readers.items():
        try:
            found[name] = reader(parts[name]) if name in parts else None
        except ValueError:
            wrong.append(f"there is no {name} {parts[name]!r:.40}")
    try:
        found["plan"] = plan(parts, recorded)
    except DawnError as error:
        wrong.append(str(error))
    return Address(**found, wrong=tuple(wrong))


def tab(text: str) -> str:
    """A tab's name; ValueError if it is none."""
    return TABS[TABS.index(text)]


def whole(text: str, least: int) -> int:
    """A whole number of at most six digits; ValueError if it is none, or below `least`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) >= least):
        raise ValueError(text)
    return int(text)


def plan(parts: Mapping[str, str], recorded: Rule | None) -> Rule | None:
    """The rule and settings of an address; DawnError for what is none."""
    if "rule" not in parts:
        return None
    rule = parts["rule"]
    known = rule_specs(rule)
    settings = settings_of(recorded) if recorded and recorded.name == rule else {}
    named = {name.removeprefix(SETTING): text for name, text in parts.items() if name.startswith(SETTING)}
    return make_rule(rule, settings | {name: setting(text, known.get(name)) for name, text in named.items()})


def setting(text: str, spec: Spec | None) -> object:
    """A setting's value from its text; what is no number stays text, which the rule refuses by name."""
    if spec is None or isinstance(spec, Choice):
        return text
    try:
        return (int if isinstance(spec, Whole) else float)(text[:LONGEST_PART])
    except ValueError:
        return text


def find(lab: Lab, asked: object) -> tuple[str, Entry, Address]:
    """The trace to show, its name, and what the address asks for; the bundled example if it names no trace or a gone one."""
    name = read(asked).trace
    try:
        entry = lab.store.get(EXAMPLE if name is None else name)
        return name or EXAMPLE, entry, read(asked, facts_of(entry).setup.make_rule())
    except TraceError:
        return EXAMPLE, lab.store.get(EXAMPLE), Address(read(asked).tab, wrong=(GONE,))


def values(lab: Lab, name: str, entry: Entry, address: Address, visitor: str) -> Iterator[dict]:
    """The explorer's value that shows what an address asks for, and again for as long as the run goes on."""
    back = {"step": address.step, "position": address.position}
    if address.plan:
        back |= {"rule": address.plan.name, "settings": settings_of(address.plan)}
    yield from lab.growing(name, visitor, {"back": back, **notice(entry, address)})


def notice(entry: Entry, address: Address) -> dict:
    """What of an address cannot be shown, in words; nothing if all can."""
    if GONE in address.wrong:
        return {"notice": GONE}
    wrong, steps, length = list(address.wrong), len(entry.steps), facts_of(entry).canvas.length
    if entry.done and address.step is not None and address.step >= steps:
        wrong.append(f"step {address.step + 1} is beyond the last of {steps}")
    if address.position is not None and address.position >= length:
        wrong.append(f"position {address.position} is beyond the last of {length}")
    return {"notice": f"Not all of this address can be shown: {'; '.join(wrong)}."} if wrong else {}
