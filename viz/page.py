"""The page around the tabs: Gradio theme and style from the one source of colours. Local fonts only: nothing is fetched."""

from __future__ import annotations

import gradio as gr

from viz import theme

FONT = ("ui-sans-serif", "system-ui", "sans-serif")
MONO = ("ui-monospace", "DejaVu Sans Mono", "monospace")
STYLE = """
.gradio-container { max-width: 1720px !important; }
#masthead { padding: 4px 2px 0; }
#masthead h1 { font-size: 1.5rem; margin: 0; letter-spacing: -0.01em; }
#masthead p { margin: 0; color: var(--body-text-color-subdued); }
#controls .block { padding: 8px 10px; }
#model-state p { margin: -8px 4px 0; font-size: 0.8rem; color: var(--body-text-color-subdued); overflow-wrap: anywhere; }
#explore { align-items: flex-start; }
.about { columns: 3 360px; column-gap: 32px; padding: 4px 2px; }
.about section { break-inside: avoid; margin-bottom: 18px; }
.about h2 { font-size: 1rem; margin: 0 0 6px; }
.about p { margin: 0 0 8px; max-width: 75ch; line-height: 1.5; }
.about a { text-decoration: underline; }
.about table { border-collapse: collapse; width: 100%; }
.about caption { text-align: left; color: var(--body-text-color-subdued); }
.about :is(th, td) { border-top: 1px solid var(--border-color-primary); padding: 3px 8px 3px 0; vertical-align: top; }
.about th { font-weight: 400; text-align: left; }
.about td { font-variant-numeric: tabular-nums; overflow-wrap: break-word; text-align: right; }
footer { display: none !important; }
@media (max-width: 760px) {
  .gradio-container > .main { padding: 8px 10px !important; }
  :is(#explorer-host, #analysis-host, #compare-host, #race-host, #learn-host) .html-container { padding: 4px 0; }
  .tab-container button { padding-inline: 7px !important; }
  #explore { flex-direction: column; flex-wrap: nowrap; }
  #explore > * { width: 100%; }
  #controls { display: contents; }
  #settings, #examples { order: 2; }
}
"""


def page_theme() -> gr.themes.Base:
    """Gradio's plain theme in the page's colours and with fonts that every machine has."""
    (page, page_dark), (panel, panel_dark) = theme.SURFACES["page"], theme.SURFACES["panel"]
    (accent, accent_dark), (soft, soft_dark) = theme.SURFACES["accent"], theme.SURFACES["soft"]
    texts = ("body_text_color_subdued", "block_info_text_color", "block_label_text_color", "block_title_text_color")
    quiet = {name: soft for name in texts} | {f"{name}_dark": soft_dark for name in texts}
    base = gr.themes.Base(
        primary_hue="orange", neutral_hue="slate", font=FONT, font_mono=MONO, text_size="sm", radius_size="md"
    )
    return base.set(
        body_background_fill=page,
        body_background_fill_dark=page_dark,
        block_background_fill=panel,
        block_background_fill_dark=panel_dark,
        button_primary_background_fill=accent,
        button_primary_background_fill_dark=accent_dark,
        button_primary_background_fill_hover=accent,
        button_primary_background_fill_hover_dark=accent_dark,
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark=page_dark,
        **quiet,
    )
