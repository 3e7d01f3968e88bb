#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The labs of tools/labs when something goes wrong: what somebody has broken off or
# killed is found and taken down, and what is not theirs stays.

. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/lib_labs.sh
. "$HERE/lib_labs.sh"

# A packet that goes elsewhere is no pass: here, one that a filter eats.
test_wrong_path()
{
	defer "$LABS/containers" down
	run "$LABS/containers" up
	run ip -n two link add elsewhere type "$VNDUMMY"
	run ip -n two link set elsewhere up
	run ip -n two route replace 10.11.0.1/32 dev elsewhere
	refused "10.11.0.2 does not answer one" "$LABS/containers" test
	run ip -n two route del 10.11.0.1/32 dev elsewhere
	run "$LABS/containers" test
}

test_killed()
{
	local before out

	before=$(there)
	defer "$LABS/machine" down
	stopping machine "add port0"
	run kill -9 -- "-$LEADER"
	ended half "$PID" 10
	[[ -e /run/netns/host ]] || fail "nothing was left: no test of it"
	capture out "$LABS/machine" up
	[[ $out == *"machine: something is left of a call that was broken off"* ]] ||
		fail "it does not say that something was left: $out"
	run "$LABS/machine" test
	run "$LABS/machine" down
	nothing_left "$before" machine
}

# Its own programs go on: here, those that hold a user's namespaces.
test_orphans()
{
	need_rootless
	orphaned rootless "attach two" sleep
}

test_interrupted()
{
	local before

	before=$(there)
	defer "$LABS/machine" down
	stopping machine "add port0"
	run kill -TERM -- "-$LEADER"
	ended half "$PID" 30
	says half "machine: not finished; what there is goes again" ||
		fail "it does not say that it was broken off"
	says half "machine: taken down, nothing is left" || fail "something is left"
	nothing_left "$before" machine
}

# A namespace of somebody else's is in the way: it stays, the rest goes.
test_in_the_way()
{
	local before

	run ip netns add pod
	defer ip netns del pod
	before=$(there)
	refused "there is a namespace pod, which is not this lab's" \
		"$LABS/machine" up
	nothing_left "$before" machine
}

test_missing()
{
	local pair

	for pair in switch:tc openvpn:openvpn testpmd:dpdk-testpmd rootless:nft; do
		type -P "${pair#*:}" >/dev/null || continue
		# shellcheck disable=SC2016	# its own arguments
		refused "${pair%:*}: ${pair#*:} is not installed" unshare -m sh -c \
			'mount --bind /dev/null "$(realpath "$(command -v "$1")")" &&
				"$0" up' "$LABS/${pair%:*}" "${pair#*:}"
	done
	refused "usage: tools/labs/switch [up|show|trace|test|measure|down]" \
		"$LABS/switch" upp
}

subtests \
	wrong_path "a path that is another one fails" \
	killed "killed half-built: the next call cleans up" \
	orphans "killed half-built: its programs are found" \
	interrupted "interrupted half-built: it cleans up" \
	in_the_way "somebody else's namespace stays" \
	missing "a program that is missing is named, and a word that is none"
