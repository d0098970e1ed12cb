"""Colours, patterns, shapes and fonts of every picture, in one place. CSS variables and script values are made from it.

Tiers are told apart by pattern and shape as well as colour, so that a grey print still reads.
"""

from __future__ import annotations

from dataclasses import dataclass

FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
MONO = "ui-monospace, 'SF Mono', 'Cascadia Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace"


@dataclass(frozen=True, slots=True)
class Look:
    """How one tier or role looks: label and one sentence for people, colour by theme, pattern of its fill, shape of its node."""

    label: str
    words: str
    light: str
    dark: str
    pattern: str = "solid"
    shape: str = "circle"


TIERS = {
    "high": Look("high", "confident enough alone", "#0b7a55", "#3ddc97", "solid", "circle"),
    "induced": Look("induced", "leans on a certain anchor", "#1d5fd1", "#6cb2ff", "stripes", "diamond"),
    "conflict_free": Look("conflict-free", "conflicts with nothing taken", "#a45a00", "#ffb84d", "dots", "square"),
    "forced": Look("forced", "the best of a step without any other", "#b3195f", "#ff7ab8", "cross", "triangle"),
    "quota": Look("quota", "first in the ranking", "#6b35c9", "#b79bff", "lines", "hexagon"),
    "filled": Look("end fill", "end of text, written without a decision", "#66708a", "#8b95ad", "none", "bar"),
}

ROLES = {
    "anchor": Look("anchor", "written, and certain enough to lean on", "#334155", "#d5dbea", shape="ring"),
    "written": Look("written", "written, too uncertain for an anchor", "#94a3b8", "#64708a", shape="small"),
    "refused": Look("refused", "masked, not taken in this step", "#64748b", "#8f9ab3", shape="hollow"),
    "later": Look("later", "masked, in a later block", "#b6c0d0", "#465069", shape="small"),
    "sink": Look("sink", "looked at by everyone: removed", "#9aa5b8", "#6b7690", shape="times"),
}

SURFACES = {
    "page": ("#ffffff", "#0d1120"),
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

PATTERNS = {
    "solid": "none",
    "stripes": "repeating-linear-gradient(135deg, var(--dx-mark) 0 2px, transparent 2px 6px)",
    "dots": "radial-gradient(circle, var(--dx-mark) 1.2px, transparent 1.5px) 0 0 / 5px 5px",
    "cross": "repeating-linear-gradient(45deg, var(--dx-mark) 0 1px, transparent 1px 5px), "
    "repeating-linear-gradient(135deg, var(--dx-mark) 0 1px, transparent 1px 5px)",
    "lines": "repeating-linear-gradient(0deg, var(--dx-mark) 0 1px, transparent 1px 4px)",
    "none": "none",
}


def colours(theme: str) -> dict[str, str]:
    """Every colour of a theme (light or dark) by name: surfaces, tiers, roles."""
    index = ("light", "dark").index(theme)
    looks = {name: getattr(look, theme) for name, look in (TIERS | ROLES).items()}
    return {name: pair[index] for name, pair in SURFACES.items()} | looks


def css_variables() -> str:
    """Style rules: the colours as variables for both themes, and tone and pattern of each tier."""
    rules = [variables(".dx", colours("light")), variables("body.dark .dx, .dark .dx", colours("dark"))]
    for name, look in TIERS.items():
        rules.append(f'.dx [data-tier="{name}"] {{ --dx-tone: var(--dx-{name}); --dx-pattern: {PATTERNS[look.pattern]}; }}')
    rules.append(f".dx {{ --dx-font: {FONT}; --dx-mono: {MONO}; }}")
    return "\n".join(rules)


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
    return {"looks": looks, "tiers": list(TIERS), "roles": list(ROLES), "themes": themes, "mono": MONO, "font": FONT}
