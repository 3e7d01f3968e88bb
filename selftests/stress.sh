#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything that can be done to links and files, at once and under traffic, and
# the books of pairs afterwards; then the module is unloaded under traffic.
#
#     namespaces 0, 1, 2      threads: make and delete, move, change, send,
#       p0 === p1, p2 === p3           be programs of vntun and vntap
#       s0 ... s9
#
# make stress MINUTES=10; what it has left behind is found by make check, which
# runs it for a short time. The same again, as far as threads repeat themselves:
# build/selftests/stress SECONDS SEED

. "$(dirname "$0")/lib.sh"
need_kind vndummy vnveth vntun vntap
need_helpers stress

# In a shorter time on a slow kernel, not everything would be done once.
SECONDS_EACH=${VNIC_STRESS:-$(cat "$HERE/stress.seconds" 2>/dev/null ||
	echo $((16 * ${VNIC_PATIENCE:-1})))}

test_all()
{
	note "+ stress $SECONDS_EACH"
	"$STRESS" "$SECONDS_EACH" 2>&1 | sed -u 's/^/# /' >&3
	((PIPESTATUS[0] == 0)) || fail "stress: see above"
}

subtests all "everything at once"
