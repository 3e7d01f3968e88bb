#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What an XDP program can ask of a packet: hash, time stamp, VLAN tag. (hints.c
# has the program.)
#
#   namespace A                 namespace B                namespace C
#     ping, socat           asks                                asks
#       |                     |     redirects                     |
#      v0 ===== pair ======= v1 ----------> w0 ===== pair ====== w1
#      v0.100

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_links.sh"
need_kind "$VNVETH" "$VNDUMMY"
need_tools ping socat
need_helpers hints newlink xdp

ICMP=1 UDP=17

ready_or_not()
{
	says hints '^ready' || finished "$HINTS_PID"
}

# asks NS DEV PROTOCOL: a program that waits for a packet
asks()
{
	local status

	# shellcheck disable=SC2153	# need_helpers sets it
	start hints "$HINTS" "$@"
	HINTS_PID=$PID
	within 30 ready_or_not
	if says hints '^ready'; then
		return
	fi
	wait "$PID"
	status=$?
	((status != 4)) || skip "$(head -n 1 "$WORK/hints")"
	fail "the program could not be put in front of $2: $(tail -n 5 "$WORK/hints")"
}

# told WANTED: what it was told of that packet
told()
{
	ended hints "$HINTS_PID" 30
	is "$STATUS" 0 "status of hints"
	is "$(tail -n 1 "$WORK/hints")" "$1" "hints"
}

setup()
{
	setup_ns A B
	silence "$A" "$B"
	setup_pair "$A" "$B"
}

send_udp()
{
	run ip netns exec "$A" socat -u STDIN "UDP-SENDTO:$1:7777" <<<datagram
}

# A socket's hash is of all four layers; the driver makes the time stamp.
test_udp()
{
	local time=now

	# In-tree veth has a time only of what the hardware has stamped.
	[[ $VNVETH != veth ]] || time=0
	setup
	asks "$B" v1 $UDP
	send_udp 10.77.0.2
	told "hash l4 time $time vlan -ENODATA"
}

# Without ports it is a hash of the addresses.
test_icmp()
{
	ours "$VNVETH"
	setup
	asks "$B" v1 $ICMP
	run ip netns exec "$A" ping -qc 1 -W 10 10.77.0.2
	told "hash other time now vlan -ENODATA"
}

# The tag travels beside the packet, and that is where it is asked for.
test_vlan()
{
	setup
	run ip -n "$A" link add link v0 name v0.100 type vlan id 100
	run ip -n "$B" link add link v1 name v1.100 type vlan id 100
	run ip -n "$A" addr add 10.78.0.1/24 dev v0.100
	run ip -n "$B" addr add 10.78.0.2/24 dev v1.100
	run ip -n "$A" link set v0.100 up
	run ip -n "$B" link set v1.100 up
	asks "$B" v1 $ICMP
	run ip netns exec "$A" ping -qc 1 -W 10 10.78.0.2
	ended hints "$HINTS_PID" 30
	is "$STATUS" 0 "status of hints"
	[[ $(tail -n 1 "$WORK/hints") == *"vlan 8100:100" ]] ||
		fail "no tag: $(tail -n 1 "$WORK/hints")"
}

# What XDP has sent is no packet of the stack: nothing is known of it.
test_redirected()
{
	ours "$VNVETH"
	setup_xdp_chain
	run ip -n "$A" addr add 10.77.0.1/24 dev v0
	run ip -n "$A" neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev v0
	xdp "$B" v1 redirect 4712
	asks "$C" w1 $UDP
	send_udp 10.77.0.2
	told "hash -ENODATA time -ENODATA vlan -ENODATA"
}

# Back from a vndummy, which has sent it
test_vndummy()
{
	ours "$VNDUMMY"
	setup_ns A
	silence "$A"
	run "$NEWLINK" -n "$A" add "$VNDUMMY" name d0 info 32 01
	run ip -n "$A" link set d0 up
	run ip -n "$A" addr add 10.77.0.1/24 dev d0
	run ip -n "$A" neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev d0
	asks "$A" d0 $UDP
	send_udp 10.77.0.2
	told "hash l4 time now vlan -ENODATA"
}

subtests \
	udp "a datagram: the socket's hash, the driver's time stamp" \
	icmp "a ping: a hash of the addresses" \
	vlan "a VLAN tag" \
	redirected "nothing of what XDP has sent" \
	vndummy "a datagram that comes back from a vndummy"
