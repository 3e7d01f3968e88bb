#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The MTU of one end of a pair is that of the other.
#
#   namespace A              namespace B
#     v0 ======= pair ======= v1

. "$(dirname "$0")/../lib.sh"
need_kind vnveth
need_tools ethtool ping
need_helpers newlink xdp

setup()
{
	setup_ns A B
	silence "$A" "$B"
	setup_pair "$A" "$B"
}

# mtus N: of both
mtus()
{
	link_has "$A" v0 mtu="$1"
	link_has "$B" v1 mtu="$1"
}

test_follows()
{
	setup
	run ip -n "$A" link set v0 mtu 9000
	mtus 9000
	run ip -n "$B" link set v1 mtu 1400
	mtus 1400
	run ip -n "$B" link set v1 mtu 1400
	mtus 1400
	run ip -n "$A" link set v0 mtu 65535
	mtus 65535
}

test_used()
{
	setup
	run ip -n "$A" link set v0 mtu 9000
	run ip netns exec "$A" ping -q -c 3 -i 0.02 -w 30 -M "do" -s 8972 \
		10.77.0.2
	run ip netns exec "$B" ping -q -c 3 -i 0.02 -w 30 -M "do" -s 8972 \
		10.77.0.1
}

heard()
{
	ip -n "$A" link set v0 mtu 2000
	ip -n "$A" link set v0 mtu 2001
	says monitor "v1.* mtu 2001"
}

# Whoever is told of changes hears of both.
test_told()
{
	setup
	start monitor ip -n "$B" monitor link
	# Again and again, since ip may not listen yet.
	eventually 20 "v1's new MTU is told" heard
}

# The program at v1 sees what v0 sends in one page, so v0 cannot have 9000.
test_refused()
{
	setup
	run "$XDP" -n "$B" v1 verdict 2
	refused "" ip -n "$A" link set v0 mtu 9000
	mtus 1500
	refused "" ip -n "$B" link set v1 mtu 9000
	mtus 1500
	run "$XDP" -n "$B" v1 none
	run ip -n "$B" link set v1 mtu 9000
	mtus 9000
}

test_ends()
{
	setup
	run ip -n "$A" link set v0 down
	run ip -n "$A" link set v0 mtu 3000
	mtus 3000
	run ip -n "$A" link del v0
	gone "$B" v1 || fail "v0 deleted, v1 still there"
}

subtests \
	follows "the other end follows, whichever is changed" \
	used "packets as long come through" \
	told "the change of the other end is told as well" \
	refused "what the other end cannot have is refused, and both stay" \
	ends "of a pair that is down, and deletion"
