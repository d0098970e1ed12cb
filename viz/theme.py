"""Colours, patterns, shapes and fonts of every picture, in one place. CSS variables and script values are made from it.

Tiers are told apart by pattern and shape as well as colour, so that a grey print still reads.
"""

from __future__ import annotations

from dataclasses import dataclass

FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
MONO = "ui-monospace, 'SF Mono', 'Cascadia Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace"


@dataclass(frozen=True, slots=True)
class Look:
    """How a tier or role looks: label and one sentence for people, colour by theme, pattern of its fill, shape of its node."""

    label: str
    words: str
    light: str
    dark: str
    pattern: str = "solid"
    shape: str = "circle"


TIERS = {
    "high": Look("high", "confident enough alone", "#0b7a55", "#3ddc97", "solid", "circle"),
    "induced": Look("induced", "leans on an anchor", "#1d5fd1", "#6cb2ff", "stripes", "diamond"),
    "conflict_free": Look("conflict-free", "conflicts with nothing taken", "#a45a00", "#ffb84d", "dots", "square"),
    "forced": Look("forced", "the best one, where nothing qualified", "#b3195f", "#ff7ab8", "cross", "triangle"),
    "quota": Look("quota", "first in the ranking", "#6b35c9", "#b79bff", "lines", "hexagon"),
    "ranked": Look("ranked", "within the bound that its rank sets", "#0e7490", "#5fd9ea", "bars", "pentagon"),
    "nearby": Look("nearby", "close to a confident one", "#55700a", "#c3e65a", "grid", "wedge"),
    "stable": Look("stable", "confident and no longer changing", "#9a3412", "#ffa27a", "checks", "octagon"),
    "filled": Look("end fill", "end of text, written without a decision", "#66708a", "#8b95ad", "none", "bar"),
}

ROLES = {
    "anchor": Look("anchor", "written, and certain enough to lean on", "#334155", "#d5dbea", shape="ring"),
    "written": Look("written", "written, too uncertain for an anchor", "#94a3b8", "#64708a", shape="small"),
    "refused": Look("refused", "masked, not taken in this step", "#64748b", "#8f9ab3", shape="hollow"),
    "later": Look("later", "masked, in a later block", "#b6c0d0", "#465069", shape="small"),
    "sink": Look("sink", "attended to by nearly all, so removed", "#9aa5b8", "#6b7690", shape="times"),
}

REFUSALS = {  # and what was there before: pale grounds, so that what was taken stands out
    "below": Look("refused: below", "below every threshold that applied", "#c3cad8", "#3a4563", "plain"),
    "conflict": Look("refused: conflict", "in conflict with one taken before", "#c81e3a", "#ff6b81", "cross"),
    "dropped": Look("refused: dropped", "in conflict with a more confident one", "#c81e3a", "#ff6b81", "stripes"),
    "outranked": Look("refused: outranked", "others stood before it in the ranking", "#55607a", "#a3aec8", "lines"),
    "unstable": Look("refused: unstable", "confident, but still changing", "#9a3412", "#ffa27a", "dots"),
    "written": Look("already written", "held a token before the step", "#eceff5", "#1a2136", "plain"),
}

SURFACES = {
    "page": ("#ffffff", "#0d1120"),
    "mask": ("#e6e9f2", "#232c47"),
    "panel": ("#f7f8fc", "#151b2e"),
    "raised": ("#ffffff", "#1d2540"),
    "line": ("#d9deea", "#2c3653"),
    "ink": ("#172036", "#eef1fa"),
    "soft": ("#55607a", "#a3aec8"),
    "faint": ("#7d879d", "#7984a1"),
    "accent": ("#c2410c", "#ff9d66"),
    "select": ("#d9480f", "#ffd166"),
    "conflict": ("#c81e3a", "#ff6b81"),
    "added": ("#08783e", "#4ade80"),
    "dropped": ("#c81e3a", "#ff6b81"),
    "fresh": ("#ffffff", "#0d1120"),
}

RAMP = {
    "light": ("#f7f8fc", "#fde3cf", "#f9ab84", "#dd5d7a", "#7c2f8c", "#251553"),
    "dark": ("#10152a", "#33205f", "#7d2a7e", "#cf4a74", "#fb9566", "#fff1bd"),
}

BAND = "bottom / 100% 6px no-repeat"
STRIPES = {  # degrees, width, pitch
    "stripes": ((135, 2, 6),),
    "cross": ((45, 1, 4), (135, 1, 4)),
    "lines": ((0, 1, 3),),
    "bars": ((90, 2, 6),),
    "checks": ((45, 2, 5),),
    "grid": ((90, 1, 5), (0, 1, 3)),
}


def colours(theme: str) -> dict[str, str]:
    """Every colour of a theme (light or dark) by name: surfaces, tiers, roles, tints of tiers."""
    index = ("light", "dark").index(theme)
    looks = {name: getattr(look, theme) for name, look in (TIERS | ROLES).items()}
    surfaces = {name: pair[index] for name, pair in SURFACES.items()}
    tints = {f"{name}-tint": mixed(looks[name], surfaces["panel"], 0.17) for name in TIERS}
    return surfaces | looks | tints


def mixed(one: str, other: str, share: float) -> str:
    """`share` of colour `one` in colour `other`, each #rrggbb."""
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def band(look: Look, name: str) -> list[str]:
    """Background layers of the patterned band along the lower edge of a token."""
    mark, tone = "var(--dx-fresh)", f"var(--dx-{name})"
    stripe = "repeating-linear-gradient({0}deg, {mark} 0 {1}px, transparent {1}px {2}px) " + BAND
    layers = [stripe.format(*numbers, mark=mark) for numbers in STRIPES.get(look.pattern, ())]
    if look.pattern == "dots":
        layers = [f"radial-gradient(circle, {mark} 1.3px, transparent 1.7px) bottom / 6px 6px repeat-x"]
    return [*layers, f"linear-gradient({tone}, {tone}) {BAND}"]


def tier_rules(name: str, look: Look) -> list[str]:
    """How a tier dresses a token, calm and fresh, a swatch and a tag. Flat rules: tokens change by the hundred."""
    layers, chosen = ", ".join(band(look, name)), f'[data-tier="{name}"]'
    return [
        f".dx-token{chosen}, .dx-swatch{chosen} {{ background: {layers}, var(--dx-{name}-tint); }}",
        f".dx-token{chosen}.dx-fresh {{ background: {layers}, var(--dx-{name}); }}",
        f".dx-tag{chosen}, .dx-swatch{chosen} {{ color: var(--dx-{name}); border-color: var(--dx-{name}); }}",
    ]


def css_variables() -> str:
    """Style rules: the colours as variables for both themes, fonts, and the dress of each tier."""
    rules = [variables(".dx", colours("light")), variables(".dark .dx", colours("dark"))]
    rules.append(f".dx {{ --dx-font: {FONT}; --dx-mono: {MONO}; }}")
    return "\n".join(rules + [rule for name, look in TIERS.items() for rule in tier_rules(name, look)])


def variables(selector: str, values: dict[str, str]) -> str:
    """One style rule that sets `--dx-NAME` for each value."""
    body = " ".join(f"--dx-{name}: {value};" for name, value in values.items())
    return f"{selector} {{ {body} }}"


def script_values() -> dict:
    """What the script draws with: colours and attention ramp by theme; label, words and shape of tiers and roles."""
    looks = {
        name: {"label": look.label, "words": look.words, "shape": look.shape, "pattern": look.pattern}
        for name, look in (TIERS | ROLES).items()
    }
    themes = {theme: {"colours": colours(theme), "ramp": list(RAMP[theme])} for theme in ("light", "dark")}
    ledger = {
        name: {"label": look.label, "words": look.words, "pattern": look.pattern, "light": look.light, "dark": look.dark}
        for name, look in (TIERS | REFUSALS).items()
    }
    return {
        "ledger": ledger,
        "refusals": list(REFUSALS),
        "looks": looks,
        "tiers": list(TIERS),
        "roles": list(ROLES),
        "themes": themes,
        "mono": MONO,
        "font": FONT,
    }
