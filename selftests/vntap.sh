#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The tests of vntun.sh, on layer 2. There is the drawing.

export KIND=vntap
. "$(dirname "$0")/vntun.sh"
