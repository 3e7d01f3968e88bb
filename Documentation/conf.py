# SPDX-License-Identifier: GPL-2.0
#
# How Sphinx makes these pages; tools/docs/build runs it.

import os
import sys

sys.path.insert(0, os.path.abspath("../tools/docs"))

project = "vnic"
# What is said here is said of the tree that it lies in: no version.
copyright = "the authors, GPL-2.0"
master_doc = "index"
exclude_patterns = []

extensions = ["pages", "same"]
highlight_language = "none"
nitpicky = True
# The kernel's own, of which no page is here.
nitpick_ignore_regex = [("c:.*", ".*")]
# In UAPI headers, and without a meaning outside of the kernel.
c_id_attributes = ["__user", "__rcu", "__percpu", "__cold"]

html_theme = "sphinx_rtd_theme"
html_theme_options = {
    "collapse_navigation": False,
    "navigation_depth": 2,
    "prev_next_buttons_location": "both",
    "style_external_links": False,
}
html_static_path = ["static"]
html_css_files = ["vnic.css"]
html_copy_source = False
html_show_sphinx = False
html_title = "vnic"
