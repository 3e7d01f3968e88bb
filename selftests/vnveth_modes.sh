#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vnveth: pairs without Ethernet (L3), pairs that keep marks, options changed;
# and pairs with rings and programs that move, or go, under traffic.
#
#      namespace A                             namespace B
#   stream, ping, packets                   stream, tcpdump
#          |                                       |
#     v0 10.77.0.1/24  ======== pair ========  v1 10.77.0.2/24
#
# Where a third place is needed, it is namespace C.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_links.sh"
need_kind "$VNVETH"
need_tools ethtool ping tc tcpdump
need_helpers frames newlink packets stream xdp

# Attributes of our kind (include/uapi/linux/vnic.h)
L3="info 32 01"

# pair [WORD...]: what newlink is told of both ends besides
pair()
{
	setup_ns A B
	setup_pair "$A" "$B" "$@"
}

l3_pair()
{
	# shellcheck disable=SC2086	# three words
	pair $L3
}

pings()
{
	run ip netns exec "$1" ping -qc 3 -i 0.05 -W 10 "${@:3}" "$2"
}

# options NS DEV WHAT: as the kernel shows them
options()
{
	local out

	capture out "$NEWLINK" -n "$1" info "$2"
	is "$out" "$3" "options of $2"
}

# ---------------------------------------------------- L3

test_l3()
{
	local out flag

	ours "$VNVETH"
	l3_pair
	capture out ip -n "$A" -d link show dev v0
	[[ $out == *"link/none"* ]] || fail "v0 has an Ethernet header"
	for flag in NOARP POINTOPOINT; do
		[[ $out == *$flag* ]] || fail "v0 is not $flag"
	done
	options "$A" v0 "32=01 33=01 34=00 35=00"
	options "$B" v1 "32=01 33=01 34=00 35=00"
	pings "$A" 10.77.0.2
	pings "$B" 10.77.0.1 -s 5000
	capture out ip -n "$A" neigh show dev v0
	[[ $out != *lladdr* ]] || fail "a MAC address was asked for: $out"
	stream "$A" "$B" 10.77.0.2
	onward 2
	end_stream
	closes "$A" v0 "$B" v1
}

test_l3_mtu()
{
	ours "$VNVETH"
	l3_pair
	silence "$A" "$B"
	run ip -n "$A" link set v0 mtu 65535
	run ip -n "$B" link set v1 mtu 65535
	pings "$A" 10.77.0.2 -M "do" -s 65507
	# Shorter at the other end: lost there, and counted.
	run ip -n "$B" link set v1 mtu 500
	refused "100% packet loss" \
		ip netns exec "$A" ping -qc 1 -W 0.5 -s 1000 10.77.0.2
	counts "$A" v0 tx_drop_too_big=1
	counts "$B" v1 rx_drop_too_big=1
	closes "$A" v0 "$B" v1
}

test_l3_ipv6()
{
	ours "$VNVETH"
	[[ -d /proc/sys/net/ipv6 ]] || skip "this kernel has no IPv6"
	l3_pair
	run ip -n "$A" addr add fd00:77::1/64 dev v0 nodad
	run ip -n "$B" addr add fd00:77::2/64 dev v1 nodad
	pings "$A" fd00:77::2
	pings "$A" fd00:77::2 -s 10000
}

test_l3_capture()
{
	local dump

	ours "$VNVETH"
	l3_pair
	start dump ip netns exec "$B" tcpdump -lnvi v1 -c 1 icmp
	dump=$PID
	eventually 10 "tcpdump listens" says dump "listening on"
	pings "$A" 10.77.0.2
	ended dump "$dump" 10
	says dump "link-type RAW" || fail "not raw IP: $(cat "$WORK/dump")"
	says dump "10.77.0.1 > 10.77.0.2: ICMP echo request" ||
		fail "no IPv4 packet: $(cat "$WORK/dump")"
}

# What is neither IPv4 nor IPv6 is lost, and counted.
test_l3_others()
{
	ours "$VNVETH"
	l3_pair
	silence "$A" "$B"
	closes "$A" v0 "$B" v1
	run "$PACKETS" -n "$A" -t 0x88b5 v0 100 60
	counts "$A" v0 tx_drop_protocol=100 ip_tx_dropped=100
	counts "$B" v1 rx_drop_protocol=100 ip_rx_dropped=100
	pings "$A" 10.77.0.2
	closes "$A" v0 "$B" v1
}

test_l3_refused()
{
	local out

	ours "$VNVETH"
	setup_ns A
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 info 32 01 peer name v1
	refused "EOPNOTSUPP address" "$NEWLINK" -n "$A" add "$VNVETH" name x0 \
		address 02:00:00:00:00:01 info 32 01
	refused "EOPNOTSUPP peer.address" "$NEWLINK" -n "$A" add "$VNVETH" \
		name x0 info 32 01 peer name x1 address 02:00:00:00:00:01
	# Kernels since 6.1 do not ask a device whose address has no length: what is
	# taken then has no effect.
	if [[ $(uname -r) == 6.1.* ]] ||
		! ip -n "$A" link set v0 address 02:00:00:00:00:01 2>&3; then
		refused "" ip -n "$A" link set v0 address 02:00:00:00:00:01
	fi
	capture out ip -n "$A" link show dev v0
	[[ $out != *02:00:00* ]] || fail "v0 has a MAC address"
	refused "EOPNOTSUPP" "$XDP" -n "$A" v0 verdict 2
	refused "EOPNOTSUPP info" "$NEWLINK" -n "$A" set v0 kind "$VNVETH" \
		info 32 00
	refused "" ip -n "$A" link add link v0 name v0.5 type vlan id 5
	run ip -n "$A" link add br0 type bridge
	refused "" ip -n "$A" link set v0 master br0
	options "$A" v0 "32=01 33=01 34=00 35=00"
	gone "$A" x0 || fail "x0 was made"
}

# B forwards between a pair without Ethernet and one with it.
#
#   A: v0 10.77.0.1 ==L3== v1 :B: w0 10.78.0.1 ==L2== w1 10.78.0.2 :C
test_l3_to_l2()
{
	ours "$VNVETH"
	l3_pair
	setup_ns C
	run "$NEWLINK" -n "$B" add "$VNVETH" name w0 peer name w1 netns "$C"
	run ip -n "$B" addr add 10.78.0.1/24 dev w0
	run ip -n "$C" addr add 10.78.0.2/24 dev w1
	run ip -n "$B" link set w0 up
	run ip -n "$C" link set w1 up
	run ip netns exec "$B" sysctl -qw net.ipv4.ip_forward=1
	run ip -n "$A" route add 10.78.0.0/24 via 10.77.0.2
	run ip -n "$C" route add 10.77.0.0/24 via 10.78.0.1
	pings "$A" 10.78.0.2 -s 3000
	stream "$A" "$C" 10.78.0.2
	onward 2
	run ip netns exec "$B" ethtool -K w0 gro on
	run ip netns exec "$B" ethtool -K v1 gro on
	onward 2
	end_stream
}

test_l3_gro()
{
	ours "$VNVETH"
	l3_pair
	large_come "$A" v0 "$B" v1 10.77.0.2
	run ip netns exec "$A" ethtool -K v0 gro on
	onward 1
	run ip netns exec "$B" ethtool -K v1 gro off
	end_stream
	closes "$A" v0 "$B" v1
}

# ---------------------------------------------------- options

# marked NUMBER: of 100 packets with a mark, and of 100 with a priority, so
# many come with it.
marked()
{
	local match

	for match in "handle 42 fw" "basic match meta(priority\ eq\ 5)"; do
		eval "set -- $1 $match"
		run tc -n "$B" filter replace dev v1 ingress protocol all \
			prio 1 "${@:2}" action pass
		run "$PACKETS" -n "$A" -m 42 -p 5 v0 100 60
		# whether it has the mark or not, it is there
		eventually 5 "100 packets more" more_than \
			$((RECEIVED += 100, RECEIVED - 1)) "$B" v1 rx_packets
		hits "$B" v1 ingress
		is "$HITS" "$1" "packets that came with it: $match"
		run tc -n "$B" filter del dev v1 ingress
	done
}

test_scrub()
{
	local gro

	ours "$VNVETH"
	modprobe -qa cls_fw cls_basic em_meta ||
		skip "this kernel has no tc filters for marks or priorities"
	pair
	silence "$A" "$B"
	run tc -n "$B" qdisc add dev v1 clsact
	RECEIVED=$(received)
	for gro in off on; do
		run ip netns exec "$B" ethtool -K v1 gro $gro
		marked 0
		run "$NEWLINK" -n "$A" set v0 kind "$VNVETH" info 33 00
		marked 100
		# It is about what this end sends.
		run "$NEWLINK" -n "$A" set v0 kind "$VNVETH" info 33 01
		run "$NEWLINK" -n "$B" set v1 kind "$VNVETH" info 33 00
		marked 0
		run "$NEWLINK" -n "$B" set v1 kind "$VNVETH" info 33 01
	done
	closes "$A" v0 "$B" v1
}

received()
{
	local -A now

	counters now "$B" v1
	echo "${now[rx_packets]}"
}

# Given at creation, an option is both ends'; changed, it is one end's.
test_options()
{
	local attribute

	ours "$VNVETH"
	pair
	silence "$A" "$B"
	options "$A" v0 "32=00 33=01 34=00 35=00"
	options "$B" v1 "32=00 33=01 34=00 35=00"
	stream "$A" "$B" 10.77.0.2
	run "$NEWLINK" -n "$A" set v0 kind "$VNVETH" info 33 00
	options "$A" v0 "32=00 33=00 34=00 35=00"
	options "$B" v1 "32=00 33=01 34=00 35=00"
	run "$NEWLINK" -n "$B" set v1 kind "$VNVETH" info 34 01
	options "$A" v0 "32=00 33=00 34=00 35=00"
	options "$B" v1 "32=00 33=01 34=01 35=00"
	run "$NEWLINK" -n "$B" set v1 kind "$VNVETH" info 35 01 info 34 00
	options "$B" v1 "32=00 33=01 34=00 35=01"
	onward 1
	for attribute in 34 35 33; do
		run "$NEWLINK" -n "$A" set v0 kind "$VNVETH" info $attribute 01
		run "$NEWLINK" -n "$B" set v1 kind "$VNVETH" info $attribute 01
	done
	onward 1
	for attribute in 34 35; do
		run "$NEWLINK" -n "$A" set v0 kind "$VNVETH" info $attribute 00
		run "$NEWLINK" -n "$B" set v1 kind "$VNVETH" info $attribute 00
	done
	end_stream
	refused ERANGE "$NEWLINK" -n "$A" set v0 kind "$VNVETH" info 34 02
	refused "" "$NEWLINK" -n "$A" set v0 kind "$VNVETH" info 34 ""
	options "$A" v0 "32=00 33=01 34=00 35=00"
	closes "$A" v0 "$B" v1
	run "$NEWLINK" -n "$A" add "$VNVETH" name w0 info 33 00 info 34 01 \
		info 35 01 peer name w1 netns "$B"
	options "$A" w0 "32=00 33=00 34=01 35=01"
	options "$B" w1 "32=00 33=00 34=01 35=01"
}

# ---------------------------------------------------- moves, the end

# moves DEV: through ten namespaces, and home again
moves()
{
	local dev=$1 i to at=$B

	for ((i = 1; i <= 10; i++)); do
		setup_ns N$i
		to=N$i
		silence "${!to}"
		run ip -n "$at" link set "$dev" netns "${!to}"
		at=${!to}
		run ip -n "$at" addr replace 10.77.0.2/24 dev "$dev"
		run ip -n "$at" link set "$dev" up
		eventually 10 "packets come to $at" \
			more_than "$(($(there "$at" "$dev") + 20))" \
			"$at" "$dev" rx_packets
		LAST=$at
	done
}

there()
{
	local -A now

	counters now "$1" "$2"
	echo "${now[rx_packets]}"
}

test_moves_gro()
{
	local flood out CORE_DROPS=1

	pair
	silence "$A" "$B"
	run ip netns exec "$B" ethtool -K v1 gro on
	start flood "$PACKETS" -n "$A" v0 0 200
	flood=$PID
	moves v1
	run kill "$flood"
	ended flood "$flood" 10
	features out "$LAST" v1
	[[ $out == *"generic-receive-offload: on"* ]] || fail "GRO went off"
	pings "$A" 10.77.0.2
	closes "$A" v0 "$LAST" v1
}

# The program goes with the device.
test_moves_xdp()
{
	local flood out seen CORE_DROPS=1

	pair
	silence "$A" "$B"
	xdp "$B" v1 count 2
	start flood "$PACKETS" -n "$A" v0 0 200
	flood=$PID
	moves v1
	run kill "$flood"
	ended flood "$flood" 10
	# It sees what comes now.
	closes "$A" v0 "$LAST" v1
	capture out "$XDP" -n "$LAST" v1 counted
	note "$out"
	[[ $out =~ packets\ ([0-9]+) ]] || fail "no number in: $out"
	seen=${BASH_REMATCH[1]}
	run "$PACKETS" -n "$A" v0 100 200
	closes "$A" v0 "$LAST" v1
	capture out "$XDP" -n "$LAST" v1 counted
	[[ $out =~ packets\ ([0-9]+) ]] || fail "no number in: $out"
	is "${BASH_REMATCH[1]}" $((seen + 100)) "packets that it has seen"
	capture out ip -n "$LAST" link show dev v1
	[[ $out == *xdp* ]] || fail "the program was left behind"
	xdp "$LAST" v1 none
	pings "$A" 10.77.0.2
	closes "$A" v0 "$LAST" v1
}

# ends PREPARE...: gone while both send
ends()
{
	pair
	silence "$A" "$B"
	"$@"
	delete_in_flight
}

with_gro()
{
	run ip netns exec "$A" ethtool -K v0 gro on
	run ip netns exec "$B" ethtool -K v1 gro on
}

with_programs()
{
	xdp "$A" v0 verdict 2
	xdp "$B" -f v1 verdict 2
}

with_backpressure()
{
	run "$NEWLINK" -n "$A" set v0 kind "$VNVETH" info 34 01 info 35 01
	run "$NEWLINK" -n "$B" set v1 kind "$VNVETH" info 34 01 info 35 01
	run tc -n "$A" qdisc replace dev v0 root pfifo limit 100
	run tc -n "$B" qdisc replace dev v1 root pfifo limit 100
}

test_delete_gro()
{
	ends with_gro
}

test_delete_xdp()
{
	ends with_programs
}

test_delete_backpressure()
{
	ours "$VNVETH"
	ends with_backpressure
}

test_netns_exit()
{
	pair
	silence "$A" "$B"
	with_gro
	with_programs
	start flood "$PACKETS" -n "$A" v0 0 1400
	receives 300 "$B" v1
	run ip netns del "$B"
	eventually 20 "v0 went with v1's namespace" gone "$A" v0
	ended flood "$PID" 10
	is "$STATUS" 1 "status of the sender whose interface is gone"
}

subtests \
	l3 "a pair without Ethernet: ping, TCP" \
	l3_mtu "without Ethernet: MTU 65535" \
	l3_ipv6 "without Ethernet: IPv6" \
	l3_capture "without Ethernet: tcpdump sees raw IP" \
	l3_others "without Ethernet: what is not IP" \
	l3_refused "without Ethernet: addresses, XDP, VLANs, bridges refused" \
	l3_to_l2 "forwarded between pairs with Ethernet and without" \
	l3_gro "without Ethernet: GRO" \
	scrub "mark and priority kept, if so told" \
	options "options shown, changed, one end's or both's" \
	moves_gro "ten namespaces under traffic, with GRO" \
	moves_xdp "ten namespaces under traffic, with a program" \
	delete_gro "deleted under traffic, with GRO" \
	delete_xdp "deleted under traffic, with programs" \
	delete_backpressure "deleted under traffic, with back-pressure" \
	netns_exit "gone with a namespace, with GRO and programs"
