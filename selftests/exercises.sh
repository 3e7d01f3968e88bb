#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The exercises: the test of each fails on the module as it is, and passes with
# the solution, for which tools/check/exercises has built a module.
#
#   exercises/NAME/test.sh
#          |
#   vnic.ko (must fail)   build/exercises/NAME/vnic.ko (must pass)
#
# The tests have namespaces of their own.

. "$(dirname "$0")/lib.sh"
((EUID == 0)) || skip_all "needs root: sudo selftests/$SELF"
KO=${VNIC_KO:-}
[[ $KO ]] || skip_all "VNIC_KO names no module: tools/qemu/vm does"

for TREE in "$HERE/.." "$HERE/../../.." ""; do
	[[ -d $TREE/exercises ]] && break
done
[[ $TREE ]] || skip_all "the exercises are not at hand"
TREE=$(cd "$TREE" && pwd)
BUILT=$TREE/build/exercises
[[ -d $BUILT ]] || skip_all "nothing is built; type: tools/check/exercises"
export VNIC_SELFTESTS=$HERE

unloaded()
{
	[[ ! -d /sys/module/vnic ]] || rmmod vnic 2>/dev/null
}

# attempt NAME MODULE: the exercise's test on this module, into STATUS; what it
# has printed into $WORK/log
attempt()
{
	eventually 20 "vnic is unloaded" unloaded
	run insmod "$2"
	note "+ exercises/$1/test.sh"
	"$TREE/exercises/$1/test.sh" >"$WORK/log" 2>&1 </dev/null 3>&1
	STATUS=$?
	eventually 20 "vnic can be unloaded behind exercises/$1" unloaded
}

solved()
{
	local why

	[[ ! -e $BUILT/$1/failed ]] || fail "$(<"$BUILT/$1/failed")"
	[[ -e $BUILT/$1/vnic.ko ]] || fail "exercises/$1 was not built"
	attempt "$1" "$KO"
	note "$(grep -e '^not ok' -e '^# FAILED' "$WORK/log")"
	# A test that could not be run shows nothing.
	if ((STATUS != KSFT_FAIL)) || ! grep -q '^not ok' "$WORK/log"; then
		fail "without a solution it ends with $STATUS:" \
			"$(tail -n 3 "$WORK/log")"
	fi
	attempt "$1" "$BUILT/$1/vnic.ko"
	why=$(grep -e '^not ok' -e '^# FAILED' -e '# SKIP' "$WORK/log")
	if ((STATUS != KSFT_PASS)) || [[ $why ]]; then
		fail "with the solution it ends with $STATUS: $why"
	fi
	note "$(tail -n 1 "$WORK/log")"
}

LIST=()
for dir in "$TREE"/exercises/[0-9]*; do
	name=${dir##*/}
	LIST+=("${name//-/_}" "fails before, and passes after")
	eval "test_${name//-/_}() { solved $name; }"
done
# The module that the checks have loaded comes back, for those that follow.
eventually 20 "vnic is unloaded" unloaded
defer insmod "$KO"

subtests "${LIST[@]}"
