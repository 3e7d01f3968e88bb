# SPDX-License-Identifier: GPL-2.0
"""What the pages have beyond reStructuredText: an extension of Sphinx.

    .. run:: NAME        commands, and what they said when they were run
    .. trip:: NAME       a command, and the picture of its packet's trip
    .. source:: FILE     a function, or other lines, of the source
       :function: NAME
       :from: TEXT
       :to: TEXT
    .. why:: TITLE       a box: why it was done this way

What was run lies in the folder that VNIC_PICTURES names. Without it the pages
show the commands alone; with it, what is not there is an error.
"""

import html
import os
import pathlib
import re
import shutil

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.parsers.rst.directives.admonitions import BaseAdmonition

import blocks

TOP = pathlib.Path(__file__).resolve().parents[2]


def pictures():
    """The folder with what was run, or None."""
    folder = os.environ.get("VNIC_PICTURES")
    return pathlib.Path(folder) if folder else None


class Page(Directive):
    """What the directives share."""

    def env(self):
        return self.state.document.settings.env

    def literal(self, text, language="none", css=None, first=None):
        node = nodes.literal_block(text, text, language=language)
        node["force"] = False
        if first:
            node["linenos"] = True
            node["highlight_args"] = {"linenostart": first}
        if css:
            node["classes"].append(css)
        return node

    def typed(self):
        """The commands as on a terminal."""
        return "\n".join(map(blocks.typed,
                             blocks.commands("\n".join(self.content))))

    def read(self, path):
        """The text of a file of the tree, on which this page depends."""
        self.env().note_dependency(str(path))
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise self.error(f"{path}: {error.strerror}")


class Run(Page):
    """Commands and their output."""

    has_content = True
    required_arguments = 1
    option_spec = {"says": directives.unchanged}

    def run(self):
        folder = pictures()
        box = nodes.container(classes=["run"])
        if not folder:
            box += self.literal(self.typed())
            return [box]
        said = self.read(folder / f"{self.arguments[0]}.said")
        box += self.literal(said.rstrip("\n"), css="said")
        return [box]


class Trip(Page):
    """The picture of one packet's trip, as it was recorded."""

    has_content = True
    required_arguments = 1
    option_spec = {"title": directives.unchanged_required,
                   "says": directives.unchanged}

    PICTURE = """
<figure class="trip">
<div class="scroll"><object type="image/svg+xml" data="{root}{name}.svg"
 style="aspect-ratio: {width} / {height}" role="img" aria-label="{title}">
<a href="{root}{name}.svg">{title}</a></object></div>
<figcaption>{title}. <a href="{root}{name}.html">Step through it</a>, hop by hop,
with the source beside it; or <a href="{root}{name}.svg">the picture alone</a>.
</figcaption>
<details><summary>The same in words</summary><pre>{text}</pre></details>
</figure>
"""

    def run(self):
        name = self.arguments[0]
        box = nodes.container(classes=["run"])
        box += self.literal(self.typed())
        folder = pictures()
        if not folder:
            return [box]
        svg = self.read(folder / f"{name}.svg")
        text = self.read(folder / f"{name}.txt")
        self.read(folder / f"{name}.html")
        width, height = self.size(name, svg)
        env = self.env()
        env.vnic_trips = getattr(env, "vnic_trips", set()) | {name}
        root = "../" * env.docname.count("/") + "_static/trips/"
        picture = self.PICTURE.format(
            root=root, name=name, width=width, height=height,
            title=html.escape(self.options.get("title", name), quote=True),
            text=html.escape(text))
        return [box, nodes.raw("", picture, format="html")]

    def size(self, name, svg):
        """Width and height that the picture itself wants."""
        head = re.search(r"<svg\b[^>]*>", svg)
        found = head and [re.search(rf'\b{side}="([0-9.]+)(?:px)?"',
                                    head.group())
                          for side in ("width", "height")]
        if not found or None in found:
            raise self.error(f"{name}.svg does not say how large it is")
        return [match.group(1) for match in found]


class Source(Page):
    """Lines of the source, found by what stands in them."""

    required_arguments = 1
    option_spec = {"function": directives.unchanged_required,
                   "from": directives.unchanged_required,
                   "to": directives.unchanged_required}

    def run(self):
        name = self.arguments[0]
        lines = self.read(TOP / name).splitlines()
        if "function" in self.options:
            first, last = self.function(lines, self.options["function"])
        else:
            first = self.find(lines, self.options.get("from", ""), 0)
            last = self.find(lines, self.options.get("to", ""), first)
        text = "\n".join(lines[first:last + 1])
        language = "c" if name.endswith((".c", ".h")) else "none"
        caption = nodes.paragraph("", f"{name}, line {first + 1}",
                                  classes=["source-caption"])
        return [caption, self.literal(text, language)]

    def find(self, lines, text, start):
        for number in range(start, len(lines)):
            if text in lines[number]:
                return number
        raise self.error(f"{self.arguments[0]} has no line '{text}'"
                         f" after line {start}")

    def function(self, lines, name):
        """With its comment, for that says why."""
        head = re.compile(rf"\w.*\b{name}\(")
        for first, line in enumerate(lines):
            if not head.match(line):
                continue
            body = first
            # What ends before it begins is only announced.
            while lines[body] != "{" and not lines[body].endswith(";") and \
                    body + 1 < len(lines):
                body += 1
            if lines[body] != "{":
                continue
            while first and lines[first - 1]:
                first -= 1
            return first, lines.index("}", body)
        raise self.error(f"{self.arguments[0]} has no function {name}")


class Why(BaseAdmonition):
    """A box on a decision."""

    node_class = nodes.admonition
    required_arguments = 1

    def run(self):
        title = self.arguments[0]
        self.arguments[0] = f"Why this way: {title}"
        self.options.setdefault("class", ["why"])
        return super().run()


def merge(_app, env, _names, other):
    env.vnic_trips = (getattr(env, "vnic_trips", set()) |
                      getattr(other, "vnic_trips", set()))


def copy(app, error):
    """The pictures that the pages show, beside them."""
    if error or not pictures():
        return
    to = pathlib.Path(app.outdir) / "_static" / "trips"
    to.mkdir(parents=True, exist_ok=True)
    for name in sorted(getattr(app.env, "vnic_trips", set())):
        for suffix in ("svg", "html", "txt"):
            shutil.copy(pictures() / f"{name}.{suffix}", to)


def setup(app):
    app.add_directive("run", Run)
    app.add_directive("trip", Trip)
    app.add_directive("source", Source)
    app.add_directive("why", Why)
    app.connect("env-merge-info", merge)
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
