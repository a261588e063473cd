# SPDX-License-Identifier: Apache-2.0
"""The two kinds of plot that the page needs, as SVG text."""

from html import escape

WIDTH = 760
LEFT = 250  # room for the names
RIGHT = 90  # and for the figures
ROW = 22
COLORS = ("#2a6f97", "#e07a5f", "#81b29a", "#8d99ae")


def document(height, title, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        text(10, 20, title, weight="bold"), *parts, "</svg>", ""])


def text(x, y, words, anchor="start", weight="normal", fill="#222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{fill}">{escape(words)}</text>')


def line(x1, y1, x2, y2, color="#222", width=1, dash=""):
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" '
            f'stroke-width="{width}"{dashes}/>')


def scale(lowest, highest):
    """From a value to its x."""
    span = (highest - lowest) or 1
    return lambda value: LEFT + (value - lowest) / span * (WIDTH - LEFT - RIGHT)


def targets(marks, x, top, bottom):
    """Dashed lines at (value, what it is, colour)."""
    for value, label, color in marks:
        yield line(x(value), top, x(value), bottom, color, 1.5, "5,3")
        yield text(x(value), bottom + 14, label, "middle", fill=color)


def bars(title, rows, marks=(), legend=()):
    """Rows of (name, value, colour's number); a row of None is a gap, a value of None unknown."""
    highest = max([value for row in rows if row for value in [row[1]] if value is not None] +
                  [mark[0] for mark in marks])
    x = scale(0, highest)
    parts, y = [], 36
    for number, name in enumerate(legend):
        at = LEFT + number * 150
        parts += [f'<rect x="{at}" y="{y - 6}" width="12" height="12" fill="{COLORS[number]}"/>',
                  text(at + 17, y + 4, name)]
    y = top = y + (14 if legend else 0)
    for row in rows:
        if row is None:
            y += ROW / 2
            continue
        name, value, color = row
        parts.append(text(LEFT - 8, y + 15, name, "end"))
        if value is not None:
            width = max(x(value) - LEFT, 1)
            parts += [f'<rect x="{LEFT}" y="{y + 3:.1f}" width="{width:.1f}" height="{ROW - 6}" '
                      f'fill="{COLORS[color]}"/>', text(LEFT + width + 5, y + 15, f"{value:,}")]
        else:
            parts.append(text(LEFT + 5, y + 15, "does not start", fill="#888"))
        y += ROW
    parts += [*targets(marks, x, top, y), line(LEFT, top, LEFT, y)]
    return document(round(y + 24), title, parts)


def intervals(title, rows, marks, unit):
    """Rows of (name, low, middle, high, colour's number), around 0."""
    values = [value for row in rows for value in row[1:4]] + [mark[0] for mark in marks] + [0]
    margin = (max(values) - min(values)) * 0.1
    x = scale(min(values) - margin, max(values) + margin)
    parts, y = [], 36
    for name, low, middle, high, color in rows:
        parts += [text(LEFT - 8, y + 15, name, "end"),
                  line(x(low), y + 11, x(high), y + 11, COLORS[color], 3),
                  f'<circle cx="{x(middle):.1f}" cy="{y + 11}" r="5" fill="{COLORS[color]}"/>',
                  text(WIDTH - RIGHT + 20, y + 15, f"{middle:+.1f} {unit}")]
        y += ROW
    parts += [line(x(0), 36, x(0), y), text(x(0), y + 14, "0", "middle"),
              *targets(marks, x, 36, y)]
    return document(y + 24, title, parts)
