#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The kind that tools/new-kind makes: tools/check/skeleton has made one in a copy
# of the tree, and checked and built it. Here is what came of that; then its own
# test, on its own module.
#
#   tools/skeleton --> build/skeleton/tree: drivers/vnecho.c, selftests/vnecho.sh

. "$(dirname "$0")/lib.sh"
((EUID == 0)) || skip_all "needs root: sudo selftests/$SELF"

for BUILT in "$HERE/../build/skeleton" "$HERE/../../skeleton" ""; do
	[[ -e $BUILT/results ]] && break
done
[[ $BUILT ]] || skip_all "no kind was made; type: tools/check/skeleton"
BUILT=$(cd "$BUILT" && pwd)
COPY=$BUILT/tree
KO=$COPY/build/check/w1/vnic.ko

unloaded()
{
	[[ ! -d /sys/module/vnic ]] || rmmod vnic 2>/dev/null
}

# The selftests as they are in the copy, and the programs that we have.
setup_tests()
{
	TESTS=$WORK/tests/selftests
	run rm -rf "$WORK/tests"
	run mkdir -p "$TESTS"
	ln -s "$HERE"/* "$TESTS" || fail "no links to $HERE"
	ln -sf "$COPY"/selftests/*.sh "$TESTS" || fail "no links to $COPY"
	run ln -s "$COPY/drivers" "$HERE/../build" "$HERE/../kselftest" \
		"$WORK/tests"
	[[ -e $KO ]] || fail "$KO was not built"
	eventually 20 "vnic is unloaded" unloaded
	run insmod "$KO"
}

# try FILE SUBTEST...
try()
{
	local status

	note "+ selftests/$*"
	VNIC_KO=$KO "$TESTS/$1" "${@:2}" >"$WORK/log" 2>&1 </dev/null 3>&1
	status=$?
	note "$(grep -e '^ok' -e '^not ok' -e '^# FAILED' "$WORK/log")"
	is "$status" 0 "status of $1"
	! grep '# SKIP' "$WORK/log" || fail "$1 skips something"
}

test_itself()
{
	setup_tests
	try vnecho.sh
	eventually 20 "vnic is unloaded" unloaded
}

test_registered()
{
	setup_tests
	try extack.sh all
	try module.sh aliases
	eventually 20 "vnic is unloaded" unloaded
}

LIST=()
while read -r name status; do
	LIST+=("${name//-/_}" "what tools/check/skeleton has found")
	eval "test_${name//-/_}()
	{
		[[ $status == ok ]] || fail \"\$(tail -n 20 '$BUILT/$name.log')\"
	}"
done <"$BUILT/results"
[[ ! ${VNIC_KO:-} ]] || defer insmod "$VNIC_KO"

subtests "${LIST[@]}" \
	itself "its own test, on its own module" \
	registered "its sentence is tested, its alias is there"
