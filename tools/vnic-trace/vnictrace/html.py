# SPDX-License-Identifier: GPL-2.0
"""A page to step through: the picture, and beside it each hop with its source line
and what happens there. All in one file, nothing is fetched."""
import json
import os

from . import jsonout, paint, svg

HERE = os.path.dirname(os.path.abspath(__file__))


def part(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()


def embedded(data):
    """JSON within <script>: no text of it may end that."""
    return json.dumps(data).replace("<", "\\u003c").replace(">", "\\u003e") \
        .replace("&", "\\u0026").replace("\u2028", "\\u2028") \
        .replace("\u2029", "\\u2029")


def document(runs):
    data = jsonout.tree(runs)
    return part("page.html").replace("@TITLE@", paint.safe(runs[0].title)) \
        .replace("@STYLE@", part("page.css")) \
        .replace("@SCRIPT@", part("page.js")) \
        .replace("@PICTURE@", svg.document(runs, with_steps=False)) \
        .replace("@DATA@", embedded(data))
