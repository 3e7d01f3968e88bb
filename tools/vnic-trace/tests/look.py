#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Look at the pictures and pages in a browser.

look.py BROWSER FOLDER: of each kept record, and of one with hostile names, the SVG
and the HTML page are opened, 1280 and 800 pixels wide. A copy of each has a script
in it that measures where the letters really are, and says what lies on something
else, what is cut off, and what went wrong in the page's own script. That it finds
such things is tried first, on pages which have them.
"""
import glob
import json
import os
import re
import subprocess
import sys

from helper import HERE, kept
from test_show import hostile

from vnictrace import build, html, svg

WIDTHS = (1280, 800)
MEASURE = r"""
(function () {
	const wrong = [];
	const errors = window.lookErrors || [];
	function name(one) {
		return JSON.stringify(one.text.slice(0, 40));
	}
	function overlap(a, b) {
		return Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
			Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
	}
	// A line of text each, where it is painted.
	function texts() {
		const found = [];
		const walk = document.createTreeWalker(document.documentElement,
			NodeFilter.SHOW_TEXT);
		while (walk.nextNode()) {
			const node = walk.currentNode, parent = node.parentElement;
			if (!node.data.trim() || ['script', 'style', 'title'].includes(
				parent.tagName.toLowerCase()))
				continue;
			const range = document.createRange();
			range.selectNodeContents(node);
			for (const box of range.getClientRects())
				if (box.width > 0 && box.height > 0)
					found.push({text: node.data.trim(), box: box,
						parent: parent});
		}
		return found;
	}
	function look(when) {
		const all = texts();
		const svg = document.querySelector('svg');
		const frame = svg.getBoundingClientRect();
		all.forEach(function (one, i) {
			for (const other of all.slice(i + 1))
				if (overlap(one.box, other.box))
					wrong.push(when + name(one) + ' lies on ' + name(other));
			const inside = svg.contains(one.parent);
			if (inside && (one.box.left < frame.left - 1 ||
			    one.box.right > frame.right + 1 ||
			    one.box.top < frame.top - 1 ||
			    one.box.bottom > frame.bottom + 1))
				wrong.push(when + name(one) + ' is cut off by the picture');
			// What scrolls may be wider.
			if (!inside && !one.parent.closest('pre') &&
			    (one.box.left < -1 || one.box.right >
			     document.documentElement.clientWidth + 1))
				wrong.push(when + name(one) + ' is cut off by the window');
		});
		for (const word of document.querySelectorAll('svg .word')) {
			const box = word.getBoundingClientRect();
			for (const dot of document.querySelectorAll(
				'svg .hop circle, svg .hop rect'))
				if (overlap(box, dot.getBoundingClientRect()))
					wrong.push(when + JSON.stringify(word.textContent) +
						' lies on a dot');
		}
		return all.length;
	}
	for (const one of document.querySelectorAll('details'))
		one.open = true;
	let count = look('');
	const next = document.getElementById('next');
	for (let i = 1; next && !next.disabled && i < 400; i++) {
		next.click();
		if (i % 5 === 1 || next.disabled)
			look('step ' + (i + 1) + ': ');
	}
	if (next) {
		if (!next.disabled && document.querySelector('.hop'))
			wrong.push('the last step is never reached');
		document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Home',
			bubbles: true}));
		if (document.querySelector('.hop') &&
		    !document.getElementById('back').disabled)
			wrong.push('the keyboard does not go back');
	}
	errors.forEach(error => wrong.push('script: ' + error));
	const root = document.documentElement;
	root.setAttribute('data-look', JSON.stringify({wrong: wrong,
		texts: count}));
}());
"""
CATCH = "window.lookErrors = []; window.addEventListener('error', " \
    "event => window.lookErrors.push(event.message));"


def prepared(content):
    """With our scripts in it: one first, one last."""
    if content.lstrip().startswith("<svg"):
        at = content.index(">") + 1
        measure = f"<script><![CDATA[{MEASURE}]]></script></svg>"
        return content[:at] + f"<script>{CATCH}</script>" + \
            content[at:].replace("</svg>", measure)
    content = content.replace("<head>", f"<head><script>{CATCH}</script>", 1)
    return content.replace("</body>", f"<script>{MEASURE}</script></body>")


def look(browser, folder, name, content, width):
    """What is wrong with it, and how many texts there are."""
    path = os.path.join(folder, f"{width}-{name}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(prepared(content))
    # As root it has no sandbox; it opens nothing but our own file.
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu",
         "--hide-scrollbars", f"--user-data-dir={folder}/profile",
         f"--window-size={width},1000", "--dump-dom",
         "file://" + os.path.abspath(path)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300,
        check=False)
    found = re.search(r'data-look="([^"]*)"', done.stdout.decode())
    if not found:
        return ["the browser has not shown it"], 0
    said = json.loads(found[1].replace("&quot;", '"').replace("&lt;", "<")
                      .replace("&gt;", ">").replace("&amp;", "&"))
    return said["wrong"], said["texts"]


def planted(picture, page):
    """(name, content, what has to be found in it)"""
    text = '<text x="20" y="40" font-size="20">planted</text></svg>'
    yield "overlap.svg", picture.replace("</svg>", text), "lies on"
    text = '<text x="1200" y="200" font-size="20">planted beyond</text></svg>'
    yield "clipped.svg", picture.replace("</svg>", text), "cut off"
    yield "overlap.html", page.replace(
        "<main>", '<div style="position:relative;top:20px;height:0">planted '
        "over what comes</div><main>"), "lies on"
    yield "clipped.html", page.replace(
        "<main>", '<div style="white-space:nowrap">' + "planted " * 60
        + "</div><main>"), "cut off"
    yield "error.html", page.replace("'use strict';",
                                     "'use strict'; planted();"), "script:"


def pictures():
    for path in sorted(glob.glob(os.path.join(HERE, "*.rec"))):
        name = os.path.basename(path)[:-4]
        yield name, [build.build(one) for one in kept(name + ".rec")]
    yield "hostile", [hostile()]


def main():
    browser, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    failed = False
    runs = [build.build(kept("ping.rec")[0])]
    for name, content, wanted in planted(svg.document(runs),
                                         html.document(runs)):
        wrong, _ = look(browser, folder, "planted-" + name, content, 1280)
        if not any(wanted in one for one in wrong):
            print(f"planted-{name}: that something {wanted} is not found, but "
                  f"{wrong}")
            failed = True
    for name, runs in pictures():
        for kind, content in (("svg", svg.document(runs)),
                              ("html", html.document(runs))):
            for width in WIDTHS:
                wrong, texts = look(browser, folder, f"{name}.{kind}", content,
                                    width)
                if texts < 10 and not wrong:
                    wrong = [f"there are only {texts} texts in it"]
                for one in wrong[:20]:
                    print(f"{name}.{kind}, {width} wide: {one}")
                failed = failed or bool(wrong)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
