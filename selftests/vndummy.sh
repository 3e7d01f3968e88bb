#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vndummy: whatever is sent there is counted and gone.
#
#      namespace A              namespace B (for moves)
#   packets, ping, ip
#           |
#   d0 (vndummy) --> nowhere

. "$(dirname "$0")/lib.sh"
need_kind "$VNDUMMY"
need_tools ethtool ping
need_helpers packets

# A locally administered unicast address, as the kernel makes them up.
is_random_mac()
{
	(((16#${1%%:*} & 3) == 2)) ||
		fail "$1 is not a local unicast address"
}

test_plain()
{
	local names

	setup_ns A
	run ip -n "$A" link add type "$VNDUMMY"
	link_has "$A" "${VNDUMMY}0" link_type=ether info_kind="$VNDUMMY" \
		operstate=DOWN mtu=1500
	interfaces names "$A"
	is "$names" "${VNDUMMY}0" "interfaces made by one command"
	run ip -n "$A" link add type "$VNDUMMY"
	run ip -n "$A" link show dev "${VNDUMMY}1"
	run ip -n "$A" link del "${VNDUMMY}0"
	interfaces names "$A"
	is "$names" "${VNDUMMY}1" "what is left"
}

test_features()
{
	local theirs ours

	need_in_tree dummy
	setup_ns A
	run ip -n "$A" link add d0 type "$VNDUMMY"
	run ip -n "$A" link add in_tree type dummy
	features ours "$A" d0
	features theirs "$A" in_tree
	[[ $ours == "$theirs" ]] ||
		fail "ethtool -k differs (> is $VNDUMMY):" \
		     "$(diff <(echo "$theirs") <(echo "$ours") | grep '^[<>]')"
	run ip netns exec "$A" ethtool -K d0 tx off
	features ours "$A" d0
	[[ $ours == *"tx-checksumming: off"* ]] ||
		fail "tx checksum offload can't be turned off"
}

test_mac()
{
	local one two

	setup_ns A
	run ip -n "$A" link add d0 type "$VNDUMMY"
	run ip -n "$A" link add d1 type "$VNDUMMY"
	link_field one "$A" d0 address
	link_field two "$A" d1 address
	is_random_mac "$one"
	is_random_mac "$two"
	[[ $one != "$two" ]] || fail "d0 and d1 have one address: $one"
	run ip -n "$A" link add d2 address 02:00:00:00:00:2a type "$VNDUMMY"
	link_has "$A" d2 address=02:00:00:00:00:2a
	run ip -n "$A" link set d2 up
	run ip -n "$A" link set d2 address 02:00:00:00:00:2b
	link_has "$A" d2 address=02:00:00:00:00:2b
	refused "" ip -n "$A" link set d2 address 01:00:00:00:00:01
	refused "" ip -n "$A" link add d3 address 01:00:00:00:00:01 \
		type "$VNDUMMY"
	refused "" ip -n "$A" link add d3 address 00:00:00:00:00:00 \
		type "$VNDUMMY"
	link_has "$A" d2 address=02:00:00:00:00:2b
	gone "$A" d3 || fail "d3 was made although its address was refused"
}

test_carrier()
{
	local file=/sys/class/net/d0/carrier

	setup_ns A
	run ip -n "$A" link add d0 type "$VNDUMMY"
	run ip -n "$A" link set d0 up
	eventually 5 "carrier up" carrier_is "$A" d0 up
	run ip netns exec "$A" sh -c "echo 0 > $file"
	eventually 5 "carrier down by sysfs" carrier_is "$A" d0 down
	run ip netns exec "$A" sh -c "echo 1 > $file"
	eventually 5 "carrier up by sysfs" carrier_is "$A" d0 up
	run ip -n "$A" link set d0 carrier off
	eventually 5 "carrier down by ip" carrier_is "$A" d0 down
	run ip -n "$A" link set d0 carrier on
	eventually 5 "carrier up by ip" carrier_is "$A" d0 up
}

test_counters()
{
	local -A now

	setup_ns A
	silence "$A"
	run ip -n "$A" link add d0 type "$VNDUMMY"
	run ip -n "$A" link set d0 up
	run "$PACKETS" -n "$A" d0 1000 60
	counters now "$A" d0
	is "${now[tx_packets]}" 1000 tx_packets
	is "${now[tx_bytes]}" 60000 tx_bytes
	run "$PACKETS" -n "$A" d0 500 1514
	counters now "$A" d0
	is "${now[tx_packets]}" 1500 tx_packets
	is "${now[tx_bytes]}" $((60000 + 500 * 1514)) tx_bytes
	is "${now[tx_dropped]}" 0 tx_dropped
	is "${now[rx_packets]}" 0 rx_packets
	run ip -n "$A" addr add 10.77.0.1/24 dev d0
	refused "100% packet loss" \
		ip netns exec "$A" ping -qc 3 -i 0.01 -W 0.1 10.77.0.2
	counters now "$A" d0
	is "${now[tx_packets]}" 1503 "tx_packets after 3 pings"
}

# More bytes than 32 bits can count. pktgen sends one packet again and
# again: the sum is all that matters here.
test_counters_64()
{
	local -A now
	local frames=66000

	modprobe -q pktgen || skip "this kernel has no pktgen"
	setup_ns A
	silence "$A"
	run ip -n "$A" link add d0 type "$VNDUMMY"
	run ip -n "$A" link set d0 up
	# shellcheck disable=SC2016	# the inner shell expands it
	run ip netns exec "$A" bash -c '
		cd /proc/net/pktgen &&
		echo "add_device d0" > kpktgend_0 &&
		for order in "count $1" "clone_skb $1" "pkt_size 65535" \
			     "delay 0" "dst 10.77.0.2"; do
			echo "$order" > d0 || exit
		done
		echo start > pgctrl
		# It waits for threads that run, which on a busy machine none
		# does yet.
		for ((i = 0; i < 600; i++)); do
			! grep -q "pkts-sofar: $1 " d0 || break
			sleep 0.1
		done
		echo rem_device_all > kpktgend_0' pktgen "$frames"
	counters now "$A" d0
	is "${now[tx_packets]}" "$frames" tx_packets
	is "${now[tx_bytes]}" $((frames * 65535)) tx_bytes
}

test_queues()
{
	local listing

	need_rx_queues
	setup_ns A
	run ip -n "$A" link add d0 numtxqueues 8 numrxqueues 3 \
		type "$VNDUMMY"
	link_has "$A" d0 num_tx_queues=8 num_rx_queues=3
	capture listing ip netns exec "$A" ls /sys/class/net/d0/queues
	is "${listing//$'\n'/ }" \
		"rx-0 rx-1 rx-2 tx-0 tx-1 tx-2 tx-3 tx-4 tx-5 tx-6 tx-7" \
		"queues in sysfs"
	run ip -n "$A" link set d0 up
	run "$PACKETS" -n "$A" d0 10 60
}

test_ethtool()
{
	local out

	setup_ns A
	run ip -n "$A" link add d0 type "$VNDUMMY"
	capture out ip netns exec "$A" ethtool -i d0
	[[ $out == *"driver: $VNDUMMY"* ]] || fail "ethtool -i says: $out"
	capture out ip netns exec "$A" ethtool -T d0
	[[ $out == *software-transmit* && $out == *software-receive* ]] ||
		fail "ethtool -T says: $out"
	[[ $VNDUMMY == vndummy ]] || return 0
	capture out ip netns exec "$A" ethtool -i d0
	[[ $out =~ version:\ *$(< /sys/module/vnic/version) ]] ||
		fail "not the module's version: $out"
	capture out ip netns exec "$A" ethtool d0
	[[ $out == *"Speed: 10000Mb/s"* && $out == *"Duplex: Full"* ]] ||
		fail "link settings: $out"
}

test_mtu()
{
	local mtu

	setup_ns A
	run ip -n "$A" link add d0 type "$VNDUMMY"
	for mtu in 68 9000 65535 100000; do
		run ip -n "$A" link set d0 mtu "$mtu"
		link_has "$A" d0 mtu="$mtu"
	done
	run ip -n "$A" link add d1 mtu 40000 type "$VNDUMMY"
	link_has "$A" d1 mtu=40000
}

test_lists()
{
	local out

	setup_ns A
	run ip -n "$A" link add d0 type "$VNDUMMY"
	run ip -n "$A" link set d0 up
	run ip -n "$A" link set d0 promisc on
	run ip -n "$A" link set d0 allmulticast on
	link_has "$A" d0 promiscuity=1
	run ip -n "$A" link set d0 promisc off
	link_has "$A" d0 promiscuity=0
	run ip -n "$A" maddr add 01:00:5e:00:00:2a dev d0
	capture out ip -n "$A" maddr show dev d0
	[[ $out == *01:00:5e:00:00:2a* ]] || fail "not on the list: $out"
	run ip -n "$A" maddr del 01:00:5e:00:00:2a dev d0
}

test_netns()
{
	setup_ns A B
	run ip -n "$A" link add d0 type "$VNDUMMY"
	run ip -n "$A" link set d0 up
	run ip -n "$A" link set d0 netns "$B"
	gone "$A" d0 || fail "d0 is still in $A"
	run ip -n "$B" link set d0 up
	run "$PACKETS" -n "$B" d0 10 60
	run ip netns del "$B"
	# the namespace's work is done by the kernel later; d0 does not come
	# back to where it was, and the name is free
	gone "$A" d0 || fail "d0 is back in $A"
	run ip -n "$A" link add d0 type "$VNDUMMY"
}

subtests \
	plain "made with no option, named vndummy%d" \
	features "the features of in-tree dummy" \
	mac "a random address or the one given, never multicast or zero" \
	carrier "carrier changed through sysfs and ip" \
	counters "packets and bytes counted exactly" \
	counters_64 "more than 4 GB counted" \
	queues "many queues" \
	ethtool "driver, time stamping, link settings" \
	mtu "any MTU" \
	lists "promiscuous, multicast list" \
	netns "moved between namespaces, and gone with one"
