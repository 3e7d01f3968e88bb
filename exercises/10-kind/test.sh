#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vnlossy, a kind made of the skeleton: of what comes back some is lost, every
# so-many-th: attribute 33, a u32.
#
#    namespace A
#   ping, packets
#     |      ^
#     s0 (vnlossy)
#     |      |
#     +--X---+

. "$(dirname "$0")/../lib.sh"
need_kind vnlossy
need_tools ethtool ping
need_helpers newlink packets

# every N: the attribute, as newlink wants it
every()
{
	printf '%02x000000' "$1"
}

setup()
{
	setup_ns A
	silence "$A"
	run "$NEWLINK" -n "$A" add vnlossy name s0 "$@"
	run ip -n "$A" addr add 10.77.0.1/24 dev s0
	run ip -n "$A" link set s0 up
}

test_none()
{
	setup
	options "$A" s0 "32=01"
	run ip netns exec "$A" ping -q -c 10 -i 0.02 -w 30 10.77.0.7
	counts "$A" s0 tx_packets=20 rx_packets=20 rx_drop_chosen=0
}

# Of question, answer, question ... every third is lost: it takes three packets
# for two that come back.
test_third()
{
	local -A now=()

	setup info 33 "$(every 3)"
	options "$A" s0 "32=01 33=$(every 3)"
	# Some answers come, so that ping may say what it likes.
	run ip netns exec "$A" bash -c \
		'ping -q -c 30 -i 0.02 -W 1 10.77.0.7 || true'
	stats now "$A" s0
	note "sent ${now[tx_packets]}, lost ${now[rx_drop_chosen]}"
	is "${now[rx_drop_chosen]}" $((now[tx_packets] / 3)) \
		"one in three of ${now[tx_packets]} lost"
	counts "$A" s0 rx_packets=$((now[tx_packets] - now[rx_drop_chosen])) \
		ip_rx_dropped="${now[rx_drop_chosen]}"
	sums "$A" s0
}

# What would not have come back is not counted among them.
test_swallowed()
{
	setup info 33 "$(every 2)"
	run "$PACKETS" -n "$A" s0 10 100
	counts "$A" s0 tx_packets=10 rx_packets=0 rx_drop_chosen=0
}

test_changed()
{
	setup
	refused "EBUSY info: Set the device down to change this" \
		"$NEWLINK" -n "$A" set s0 kind vnlossy info 33 "$(every 5)"
	options "$A" s0 "32=01"
	run ip -n "$A" link set s0 down
	run "$NEWLINK" -n "$A" set s0 kind vnlossy info 33 "$(every 5)"
	options "$A" s0 "32=01 33=$(every 5)"
	run "$NEWLINK" -n "$A" set s0 kind vnlossy info 32 00
	options "$A" s0 "32=00 33=$(every 5)"
	run "$NEWLINK" -n "$A" set s0 kind vnlossy info 33 "$(every 0)" \
		info 32 01
	options "$A" s0 "32=01"
}

test_refused()
{
	setup_ns A
	refused "EINVAL info: To lose every packet, set reflect to 0" \
		"$NEWLINK" -n "$A" add vnlossy name s0 info 33 "$(every 1)"
	refused "EINVAL info: This kind has no such attribute" \
		"$NEWLINK" -n "$A" add vnlossy name s0 info 34 00
	gone "$A" s0 || fail "s0 was made"
}

subtests \
	none "without the attribute, the skeleton" \
	third "every third is lost, and counted as chosen" \
	swallowed "not of those that never come back" \
	changed "changed while the device is down" \
	refused "what cannot be, and why"
