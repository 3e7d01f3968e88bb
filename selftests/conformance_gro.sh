#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's own tests of what becomes of packets on a veth: segmentation,
# GRO, forwarding. How they are run is in conformance_links.sh, as is the
# drawing.

. "$(dirname "$0")/conformance_links.sh"
