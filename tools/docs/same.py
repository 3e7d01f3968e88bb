# SPDX-License-Identifier: GPL-2.0
"""What a translated page takes from its source: an extension of Sphinx.

    .. same:: NAME       the run or trip NAME of the page that was translated
       :title: WORDS     for a trip, in the language of the translation

LANGUAGE/PAGE is the translation of PAGE. So commands, and what they said, stand in
one place. And Chinese has no blanks: where a line ends within a sentence, none is
shown.
"""

import pathlib
import re

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList

CHINESE = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
BREAK = re.compile(f"(?<={CHINESE})\n(?={CHINESE})")
TOP = pathlib.Path(__file__).resolve().parents[2]


def block(lines, name):
    """The lines of this directive; none if it is not there."""
    head = re.compile(rf"\.\. (run|trip):: {re.escape(name)}\Z")
    for start, line in enumerate(lines):
        if not head.match(line):
            continue
        end = start + 1
        while end < len(lines) and (not lines[end].strip() or
                                    lines[end].startswith("   ")):
            end += 1
        return lines[start:end]
    return []


class Same(Directive):
    """A directive of the source, as it stands there."""

    required_arguments = 1
    option_spec = {"title": directives.unchanged_required}

    def run(self):
        env = self.state.document.settings.env
        source = TOP / "Documentation" / (env.docname.partition("/")[2] +
                                          ".rst")
        env.note_dependency(str(source))
        name = self.arguments[0]
        if not source.is_file():
            raise self.error(f"this page has no source {source}")
        lines = block(source.read_text(encoding="utf-8").splitlines(), name)
        if not lines:
            raise self.error(f"{source.name} has no run or trip {name}")
        if "title" in self.options:
            lines = [re.sub(r"^(   :title:).*", rf"\1 {self.options['title']}",
                            line) for line in lines]
        node = nodes.Element()
        self.state.nested_parse(StringList(lines, source=str(source)),
                                self.content_offset, node)
        return node.children


def join(_app, docname, source):
    if docname.startswith("zh_CN/"):
        source[0] = BREAK.sub("", source[0])


def setup(app):
    app.connect("source-read", join)
    app.add_directive("same", Same)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
