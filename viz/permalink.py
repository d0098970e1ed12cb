"""The page's address: what it asks for, checked, and the explorer's value that shows it.

    ?tab=compare&trace=NAME&step=5&position=61&panels=ledger.sinks&rule=dawn&set.low=0.4     steps are counted from 1

A trace's name is a capability: 128 random bits, so whoever holds an address may look at its trace, and nobody else can find it.
Renaming and deleting are for its owner, who is known by a key that the browser tab keeps and no address holds: see
`TraceStore.meet`. The address names the settings as they are set, and the trace the ones that it was made with. A link that was
copied holds these too (viz/link.py): where its trace is gone the run is made again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dawn.errors import DawnError, TraceError
from dawn.rules import Rule, make_rule, settings_of
from viz import link
from viz.lab import EXAMPLE, Lab, facts_of
from viz.link import Request
from viz.store import Entry

TABS = ("explore", "compare", "race", "learn", "about")
PANELS = ("ledger", "replay", "curves", "sinks", "attention")
SPACE = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
GONE = (
    "The trace that this address names is no longer on this server, which has started anew or made room for newer ones. "
    "Shown instead is the recorded example. A saved trace can be opened again under Files."
)


@dataclass(frozen=True, slots=True)
class Address:
    """What an address asks for. step: from 0; panels: those that are open; plan: the rule as its settings were set, if not as
    recorded; wrong: what in it was refused, in words. None: not asked for."""

    tab: str | None = None
    trace: str | None = None
    step: int | None = None
    position: int | None = None
    panels: tuple[str, ...] | None = None
    plan: Rule | None = None
    wrong: tuple[str, ...] = ()


def home(space: str | None) -> str:
    """Where links lead: the page of a Space, by its name, whose frame this page is in; empty for the page's own address."""
    return f"https://huggingface.co/spaces/{space}" if space and SPACE.fullmatch(space) else ""


def read(asked: object, recorded: Rule | None = None) -> Address:
    """An address from its parts, strings by name, as they come from outside. recorded: the rule of the trace, whose settings
    stand in for those that the address leaves out."""
    parts = strings(asked)
    found, wrong = {"trace": parts.get("trace")}, []
    readers = {"tab": tab, "step": lambda text: whole(text, 1) - 1, "position": lambda text: whole(text, 0), "panels": panels}
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


def strings(asked: object) -> dict[str, str]:
    """The parts of an address that are strings, by name."""
    return {k: v for k, v in asked.items() if isinstance(k, str) and isinstance(v, str)} if isinstance(asked, Mapping) else {}


def panels(text: str) -> tuple[str, ...]:
    """The names of panels, joined by full stops; ValueError if one is none."""
    return tuple(PANELS[PANELS.index(name)] for name in text.split("."))


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
    settings = settings_of(recorded) if recorded and recorded.name == rule else {}
    return make_rule(rule, settings | link.settings_in(parts, rule))


def find(lab: Lab, asked: object) -> tuple[str, Entry, Address]:
    """The trace to show, its name, and what the address asks for; the bundled example if it names no trace or a gone one."""
    name = read(asked).trace
    try:
        entry = lab.store.get(EXAMPLE if name is None else name)
        return name or EXAMPLE, entry, read(asked, facts_of(entry).setup.make_rule())
    except TraceError:
        return EXAMPLE, lab.store.get(EXAMPLE), Address(read(asked).tab, wrong=(GONE,))


def again(lab: Lab, asked: object) -> Request | None:
    """The run to make again: a link tells it, and its trace is not here. DawnError for a link that cannot be read."""
    parts = strings(asked)
    try:
        lab.store.get(parts.get("trace"))
    except TraceError:
        return link.request_of(parts)
    return None


def rerun(lab: Lab, request: Request, asked: object, visitor: str) -> Iterator[dict]:
    """The explorer's value after each step of a run that is made again; the first one says what the address asks to see."""
    values, first = lab.run(request, visitor), {}
    while not first.get("trace"):
        if (first := next(values, None)) is None:
            return
        yield first | ({"back": back(read(asked, request.make_rule()))} if "trace" in first else {})
    yield from values


def refused(lab: Lab, why: str, visitor: str) -> dict:
    """The bundled example, and why a link's run is not made."""
    words = f"This link's run cannot be made here: {why}. Shown instead is the recorded example."
    return lab.there(EXAMPLE, visitor) | {"back": back(Address()), "notice": words}


def shown(lab: Lab, asked: object, visitor: str) -> Iterator[dict]:
    """The explorer's value that shows what an address asks for, and again for as long as the run goes on."""
    name, entry, address = find(lab, asked)
    yield from lab.growing(name, visitor, {"back": back(address), **notice(entry, address)})


def back(address: Address) -> dict:
    """What the explorer shall come back to."""
    there = {"step": address.step, "position": address.position}
    return there | ({"rule": address.plan.name, "settings": settings_of(address.plan)} if address.plan else {})


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
