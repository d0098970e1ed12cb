"""What a notebook shows of a trace: every token once, in its tier; nothing of a user or a model is markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from dawn.notebook import LOOKS
from dawn.rules import RULES, make_rule
from dawn.selection import Tier
from tests.viz.synthetic import FIRST, PIECES, synthetic_trace
from viz import theme

HOSTILE = '"><img src=x onerror=alert(1)>${1+1}\n</td>'
VOID = {"img", "br"}


class Tags(HTMLParser):
    """The tags and attributes of a text, and whether every tag is closed."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.attributes, self.open, self.texts = set(), set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_every_committed_token_is_shown_in_its_tier():
    trace = synthetic_trace(40, 12)
    shown = Tags(trace._repr_html_())
    assert shown.open == [] and shown.tags <= {"div", "b", "i", "span", "details", "summary", "table", "tr", "td", "th"}
    assert shown.attributes <= {"style", "title"}
    assert len(re.findall(r'title="position \d+, step', trace._repr_html_())) == trace.tokens_committed
    for step in trace.steps:
        for one in step.decision.selection.committed:
            said = f"position {one.position}, step {step.index + 1}: {one.tier.value.replace('_', '-')}, confidence"
            assert said in trace._repr_html_()


def test_no_text_becomes_markup():
    pieces = {**PIECES, **dict.fromkeys(range(FIRST, FIRST + 12), HOSTILE)}
    trace = replace(synthetic_trace(24, 8, pieces=pieces), prompt=HOSTILE, pieces=pieces)
    trace = replace(trace, setup=replace(trace.setup, model=HOSTILE))
    shown = Tags(trace._repr_html_())
    assert "img" not in shown.tags and "script" not in shown.tags and shown.open == []
    assert any("<img src=x" in text for text in shown.texts)


def test_nothing_is_fetched_or_run():
    text = synthetic_trace(24, 8)._repr_html_()
    assert not re.search(r"https?:|url\(|<script|<style|<link|on\w+=", text)


def test_every_tier_has_a_look_that_is_the_pages():
    assert set(LOOKS) == set(Tier)
    assert len({line for _, line in LOOKS.values()}) == len(Tier)
    for tier, (colour, _) in LOOKS.items():
        assert "#" + "".join(f"{int(part):02x}" for part in colour.split(",")) == theme.TIERS[tier.value].light


def test_a_trace_of_every_rule_is_shown():
    for name in RULES:
        assert name in synthetic_trace(16, 8, rule=make_rule(name, {}))._repr_html_()
