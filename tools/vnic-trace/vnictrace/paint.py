# SPDX-License-Identifier: GPL-2.0
"""Colours, letters, and elements of SVG; whatever a name has in it is escaped."""
from html import escape

INK, SOFT, FAINT = "#1b2530", "#51606e", "#c9d2da"
RED = "#c21807"
TRIPS = ["#1c5fab", "#7b3fb2", "#0a7758", "#a3540a", "#3f5468", "#a02565"]
# Of a lane, and of the chip that says which namespace it is
SPACES = [("#e4effb", "#8fb9e6"), ("#e6f5e4", "#93c98b"),
          ("#fdf0dc", "#e3b46a"), ("#f2e9fb", "#bb9be0"),
          ("#dff3f3", "#79bcbc"), ("#fbe7ee", "#df95ae")]
PLAIN = ("#f4f5f7", "#c9d2da")
FONT = "'Noto Sans','Segoe UI',Roboto,'Liberation Sans',Arial," \
    "'DejaVu Sans',sans-serif"
NARROW = set("iljtfrI.,:;!'|()[]/ -")
WIDE = set("mwMW@%—→")


def printable(text):
    """What no XML may have, and what would not be seen, as its number."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}"
                   for c in str(text))


def safe(text):
    return escape(printable(text), quote=False)


def width(text, size, bold=False):
    """At most so many pixels, in any of the fonts."""
    total = 0.0
    for c in printable(text):
        if ord(c) > 0x2e7f:
            total += 1.05
        elif c in NARROW:
            total += 0.42
        elif c in WIDE or ord(c) > 0x24f:
            total += 1.0
        elif c.isupper():
            total += 0.73
        else:
            total += 0.63
    return total * size * (1.08 if bold else 1)


def fit(text, room, size, bold=False):
    """Cut to the room there is."""
    text = printable(text)
    if width(text, size, bold) <= room:
        return text
    while text and width(text + "…", size, bold) > room:
        text = text[:-1]
    return text + "…"


def wrap(text, room, size):
    """Into lines that fit."""
    lines, line = [], ""
    for word in printable(text).split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer, size) <= room or not line:
            line = longer
        else:
            lines.append(fit(line, room, size))
            line = word
    return lines + [fit(line, room, size)]


def element(name, content=None, **attributes):
    """content is markup already."""
    out = f"<{name}"
    for key, value in attributes.items():
        if value is None:
            continue
        if isinstance(value, float):
            value = f"{value:.1f}"
        out += f" {key.rstrip('_').replace('_', '-')}=\"{escape(str(value))}\""
    return out + ("/>" if content is None else f">{content}</{name}>")


def text(x, y, words, size=13, fill=INK, **attributes):
    return element("text", safe(words), x=float(x), y=float(y), font_size=size,
                   fill=fill, **attributes)


def title(words):
    return f"<title>{chr(10).join(safe(line) for line in words)}</title>"
