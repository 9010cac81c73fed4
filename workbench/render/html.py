"""One HTML page that needs nothing beside itself: the look of every page that is written out."""

from __future__ import annotations

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "body{color:#222;background:#fff}"
    "table{border-collapse:collapse;width:100%}td,th{padding:.3rem .7rem;border-bottom:1px solid #ddd;text-align:left}"
    "td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}td,th{border-color:#444}}"
)


def page(title: str, body: str, more_style: str = "") -> str:
    """The page. `title` and `body` are HTML already."""
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}{more_style}</style>'
    return f'<!doctype html><html lang="en">{head}{body}</html>\n'
