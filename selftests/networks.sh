#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The networks of tools/labs as a person runs them: each is set up, shown, traced,
# tested, measured and taken down by one command; and set up once more, killed on the
# way, and taken down. labs.sh is the short form of it, and labs_faults.sh what else
# goes wrong there.

. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/lib_labs.sh
. "$HERE/lib_labs.sh"

# whole NAME
whole()
{
	local out status last

	defer "$LABS/$1" down
	note "+ $LABS/$1"
	out=$("$LABS/$1" 2>&1)
	status=$?
	note "$out"
	[[ ! $out =~ $1:\ ([^ ]*\ is\ not\ installed) ]] ||
		skip "${BASH_REMATCH[1]}"
	((status == 0)) || fail "$1 ended with $status"
	[[ $out =~ [1-9][0-9]*\ trips?,\ exit\ status\ 0 ]] ||
		fail "no trip was seen"
	[[ $out != *" events were lost"* ]] || fail "the trip is not whole"
	[[ $out == *"$1: all is as the page says"* ]] || fail "it was not tested"
	! grep -q '^rates()' "$LABS/$1" || [[ $out == *" Mbits/sec"* ]] ||
		fail "it was not measured"
	[[ $out == *"$1: taken down, nothing is left"* ]] ||
		fail "it does not say that nothing is left"
	# Addresses and processes are others the next time.
	last=$(sed -n "/^$1: is up\$/q; s/^\\$ ip \\(.*[^&]\\)\$/\\1/p" <<<"$out" |
		tail -n 1 | sed 's/ lladdr .*//; s/ [0-9]*$//')
	orphaned "$1" "$last"
}

NETWORKS=()
for lab in "$LABS"/*; do
	# vhost is vm with another word at its top.
	grep -q '^lab "\$@"\|^\. .*/vm"$' "$lab" || continue
	name=$(basename "$lab")
	eval "test_$name() { whole $name; }"
	NETWORKS+=("$name" "all of tools/labs/$name, and killed on the way")
done

subtests "${NETWORKS[@]}"
