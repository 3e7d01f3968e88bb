#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A receive queue counts its polls, and those that have used their budget up.
#
#   namespace A              namespace B
#     v0 ======= pair ======= v1, with GRO: a ring, and a NAPI of its own

. "$(dirname "$0")/../lib.sh"
need_kind vnveth
need_tools ethtool
need_helpers newlink packets

BUDGET=64

setup()
{
	setup_ns A B
	silence "$A" "$B"
	setup_pair "$A" "$B"
	run ip netns exec "$B" ethtool -G v1 rx 1024
	run ip netns exec "$B" ethtool -K v1 gro on
}

# A packet that finds nothing going on is a poll by itself.
test_single()
{
	local i

	setup
	counts "$B" v1 rx_polls=0 rx_polls_full=0
	for i in 1 2 3 4 5; do
		run "$PACKETS" -n "$A" v0 1 60
		counts "$B" v1 rx_packets=$i rx_polls=$i rx_polls_full=0
	done
	counts "$B" v1 rx_queue_0_polls=5 rx_queue_0_polls_full=0
	sums "$B" v1
}

# 200 packets that wait for each other are more than one poll may take. Were the
# machine so slow that they do not wait long enough, they would be less.
test_full()
{
	local -A now=()
	local try packets=0

	setup
	run ip netns exec "$B" ethtool -C v1 rx-usecs 1000000 rx-frames 200
	for try in 1 2 3 4 5 6; do
		run "$PACKETS" -n "$A" v0 200 60
		packets=$((packets + 200))
		counts "$B" v1 rx_packets=$packets
		stats now "$B" v1
		note "polls ${now[rx_polls]}, full ${now[rx_polls_full]}"
		((now[rx_polls_full] * BUDGET <= packets)) ||
			fail "so many polls cannot have been full"
		((packets <= now[rx_polls] * BUDGET)) ||
			fail "so many packets cannot come of these polls"
		((now[rx_polls] > now[rx_polls_full])) ||
			fail "the last poll of each round is not full"
		((now[rx_polls_full] < 3)) || break
	done
	((now[rx_polls_full] >= 3)) || fail "no poll was full in $try rounds"
	sums "$B" v1
}

# Without rings the CPU's cell delivers, which is no poll of this device's.
test_cell()
{
	setup
	run ip netns exec "$B" ethtool -K v1 gro off
	run "$PACKETS" -n "$A" v0 50 60
	counts "$B" v1 rx_packets=50 rx_polls=0 rx_polls_full=0
}

subtests \
	single "one packet, one poll, which is not full" \
	full "more packets than the budget" \
	cell "a device without rings polls nothing"
