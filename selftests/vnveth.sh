#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vnveth: a pair; what one end sends the other receives.
#
#     namespace A                              namespace B
#   ping, iperf3, packets                    ping, iperf3, tcpdump
#          |                                        |
#     v0 10.77.0.1/24  ======== pair ========  v1 10.77.0.2/24
#
# Where a third place is needed (moves, checksums), it is namespace C.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_links.sh"
need_kind "$VNVETH"
need_tools ethtool iperf3 ping tc tcpdump
need_helpers newlink packets redirect

# pings NS ADDRESS [OPTION...]
pings()
{
	run ip netns exec "$1" ping -qc 2 -i 0.02 -W 5 "${@:3}" "$2"
}

pair()
{
	setup_ns A B
	setup_pair "$A" "$B"
}

# ---------------------------------------------------- creation, deletion

test_plain()
{
	local names mac0 mac1

	setup_ns A
	run ip -n "$A" link add type "$VNVETH"
	interfaces names "$A"
	is "$names" "${VNVETH}0 ${VNVETH}1" "a pair of default names"
	link_has "$A" "${VNVETH}0" info_kind="$VNVETH" link_type=ether \
		mtu=1500
	link_field mac0 "$A" "${VNVETH}0" address
	link_field mac1 "$A" "${VNVETH}1" address
	[[ $mac0 != "$mac1" ]] || fail "both ends have the address $mac0"
	(((16#${mac0%%:*} & 3) == 2 && (16#${mac1%%:*} & 3) == 2)) ||
		fail "$mac0, $mac1: not local unicast addresses"
	run ip -n "$A" link add v0 address 02:00:00:00:00:2a type "$VNVETH"
	link_has "$A" v0 address=02:00:00:00:00:2a link="${VNVETH}2"
	link_field mac1 "$A" "${VNVETH}2" address
	[[ $mac1 != 02:00:00:00:00:2a ]] ||
		fail "the peer took the address given for v0"
}

test_peer_attributes()
{
	setup_ns A
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 mtu 2000 \
		index 4710 peer name v1 address 02:00:00:00:00:2a mtu 1400 txqlen 77 \
		index 4711
	link_has "$A" v0 mtu=2000 link=v1
	link_has "$A" v1 mtu=1400 address=02:00:00:00:00:2a txqlen=77 \
		ifindex=4711 link=v0 info_kind="$VNVETH"
	run "$NEWLINK" -n "$A" add "$VNVETH" name v2 peer
	link_has "$A" v2 link="${VNVETH}0"
}

# veth ties its ends too late for this.
test_peer_up()
{
	local json end

	ours "$VNVETH"
	setup_ns A
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 up 1 peer name v1 up 1
	for end in v0 v1; do
		capture json ip -n "$A" -j link show dev $end
		[[ $json == *'"UP"'* ]] || fail "$end is not up"
		eventually 5 "carrier on $end" carrier_is "$A" $end up
	done
}

test_parentdev()
{
	ours "$VNVETH"
	setup_ns A B
	run ip -n "$A" link add v0 parentdev v1 type "$VNVETH"
	link_has "$A" v0 link=v1
	link_has "$A" v1 link=v0 info_kind="$VNVETH"
	run ip -n "$A" link add v2 link-netns "$B" parentdev v3 \
		type "$VNVETH"
	run ip -n "$B" link show dev v3
}

test_link_netns()
{
	local names

	setup_ns A B
	run ip -n "$A" link add v0 link-netns "$B" type "$VNVETH"
	interfaces names "$A"
	is "$names" v0 "what is in A"
	interfaces names "$B"
	is "$names" "${VNVETH}0" "what is in B"
}

test_peer_netns()
{
	local process index

	setup_ns A B
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 peer name v1 netns "$B"
	start sleeper ip netns exec "$B" sleep 1000
	process=$PID
	eventually 5 "a process is in B" \
		test "/proc/$process/ns/net" -ef "/run/netns/$B"
	run "$NEWLINK" -n "$A" add "$VNVETH" name v2 \
		peer name v3 netns-pid "$process"
	for index in 1 3; do
		run ip -n "$B" link show dev v$index
		gone "$A" v$index || fail "v$index is in A"
	done
}

test_iflink()
{
	local id

	setup_ns A B
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 \
		index 4710 peer name v1 netns "$B" index 4711
	link_has "$A" v0 ifindex=4710 link_index=4711
	link_has "$B" v1 ifindex=4711 link_index=4710
	link_field id "$A" v0 link_netnsid
	[[ $id == [0-9]* ]] || fail "v0 does not show where its peer is"
	is "$(ip -n "$A" netns list-id | grep -c "nsid $id .*$B")" 1 \
		"the namespace number $id is B's"
	run ip -n "$B" link set v1 netns "$A"
	link_has "$A" v0 link=v1 link_netnsid=none
	link_has "$A" v1 link=v0 link_netnsid=none
}

test_moves()
{
	pair
	setup_ns C
	pings "$A" 10.77.0.2
	run ip -n "$B" link set v1 netns "$C"
	run ip -n "$C" addr add 10.77.0.3/24 dev v1
	run ip -n "$C" link set v1 up
	pings "$A" 10.77.0.3
	run ip -n "$A" link set v0 netns "$B" name v9
	run ip -n "$B" addr add 10.77.0.4/24 dev v9
	run ip -n "$B" link set v9 up
	pings "$C" 10.77.0.4
}

test_delete()
{
	setup_ns A B
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 peer name v1 netns "$B"
	run ip -n "$A" link del v0
	gone "$B" v1 || fail "v0 deleted, v1 still there"
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 peer name v1 netns "$B"
	run ip -n "$B" link del v1
	gone "$A" v0 || fail "v1 deleted, v0 still there"
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 peer name v1
	run ip -n "$A" link del v0
	gone "$A" v1 || fail "v0 deleted, v1 still there"
}

test_netns_exit()
{
	setup_ns A B
	setup_pair "$A" "$B"
	run ip netns del "$B"
	eventually 10 "v0 went with v1's namespace" gone "$A" v0
}

# One sender needs replies from the namespace that goes away, the other
# just fills the pair. B's own packets are the echo replies.
test_netns_exit_in_flight()
{
	local flood ping

	pair
	start flood "$PACKETS" -n "$A" v0 0 1400
	flood=$PID
	start ping ip netns exec "$A" ping -qf -w 30 10.77.0.2
	ping=$PID
	receives 300 "$A" v0
	run ip netns del "$B"
	eventually 20 "v0 went with v1's namespace" gone "$A" v0
	ended flood "$flood" 10
	is "$STATUS" 1 "status of the sender whose interface is gone"
	kill -INT "$ping"
	ended ping "$ping" 10
	[[ $STATUS == 1 ]] || is "$STATUS" 0 "status of ping"
}

test_delete_in_flight()
{
	pair
	delete_in_flight
}

# ---------------------------------------------------- state and settings

test_carrier()
{
	local end

	setup_ns A B
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 peer name v1 netns "$B"
	run ip -n "$A" link set v0 up
	carrier_is "$A" v0 down || fail "v0 has a carrier, v1 is down"
	run ip -n "$B" link set v1 up
	eventually 5 "carrier on v0" carrier_is "$A" v0 up
	eventually 5 "carrier on v1" carrier_is "$B" v1 up
	run ip -n "$A" link set v0 down
	eventually 5 "no carrier on v1" carrier_is "$B" v1 down
	run ip -n "$A" link set v0 up
	eventually 5 "carrier on v1 again" carrier_is "$B" v1 up
	run ip -n "$B" link set v1 down
	eventually 5 "no carrier on v0" carrier_is "$A" v0 down
	run ip -n "$A" link set v0 down
	run ip -n "$B" link set v1 up
	carrier_is "$B" v1 down || fail "v1 has a carrier, v0 is down"
	run ip -n "$A" link set v0 up
	eventually 5 "carrier, v1 first" carrier_is "$A" v0 up
}

test_mtu()
{
	local mtu

	pair
	silence "$A" "$B"
	for mtu in 68 65535; do
		run ip -n "$A" link set v0 mtu "$mtu"
		run ip -n "$B" link set v1 mtu "$mtu"
		link_has "$A" v0 mtu="$mtu"
	done
	# as large as an IPv4 packet can be, in one piece
	pings "$A" 10.77.0.2 -M "do" -s 65507
	refused "mtu less than device minimum" \
		ip -n "$A" link set v0 mtu 67
	refused "mtu greater than device maximum" \
		ip -n "$A" link set v0 mtu 65536
	link_has "$A" v0 mtu=65535
}

# As veth, but GRO can't be switched on: that comes with a later version.
test_features()
{
	local ours theirs

	need_in_tree veth
	setup_ns A
	run ip -n "$A" link add v0 type "$VNVETH"
	run ip -n "$A" link add in_tree type veth
	features ours "$A" v0
	features theirs "$A" in_tree
	[[ $ours == "$theirs" ]] ||
		fail "ethtool -k differs (> is $VNVETH):" \
		     "$(diff <(echo "$theirs") <(echo "$ours") | grep '^[<>]')"
}

test_big_tcp()
{
	local theirs

	need_in_tree veth
	setup_ns A
	run ip -n "$A" link add v0 type "$VNVETH"
	run ip -n "$A" link add in_tree type veth
	for field in tso_max_size tso_max_segs gso_max_size gro_max_size; do
		link_field theirs "$A" in_tree "$field"
		link_has "$A" v0 "$field=$theirs"
	done
	run ip -n "$A" link set v0 gso_max_size 200000 gro_max_size 200000
	link_has "$A" v0 gso_max_size=200000 gro_max_size=200000
	link_field theirs "$A" v0 tso_max_size
	refused "" ip -n "$A" link set v0 gso_max_size $((theirs + 1))
	run ip -n "$A" link add v1 gso_max_size 30000 type "$VNVETH"
	link_has "$A" v1 gso_max_size=30000
}

test_queues()
{
	local listing

	need_rx_queues
	setup_ns A
	run ip -n "$A" link add v0 type "$VNVETH"
	capture listing ip netns exec "$A" ls /sys/class/net/v0/queues
	is "${listing//$'\n'/ }" "rx-0 tx-0" "queues of v0"
	run ip -n "$A" link add v1 numtxqueues 3 numrxqueues 2 \
		type "$VNVETH"
	link_has "$A" v1 num_tx_queues=3 num_rx_queues=2
	capture listing ip netns exec "$A" ls /sys/class/net/v1/queues
	is "${listing//$'\n'/ }" "rx-0 rx-1 tx-0 tx-1 tx-2" "queues of v1"
	run "$NEWLINK" -n "$A" add "$VNVETH" name v2 \
		peer name v3 txqueues 2 rxqueues 2
	link_has "$A" v3 num_tx_queues=2 num_rx_queues=2
}

test_ethtool()
{
	local out

	setup_ns A
	run ip -n "$A" link add v0 type "$VNVETH"
	capture out ip netns exec "$A" ethtool -i v0
	[[ $out == *"driver: $VNVETH"* ]] || fail "ethtool -i says: $out"
	capture out ip netns exec "$A" ethtool v0
	[[ $out == *"Speed: 10000Mb/s"* && $out == *"Duplex: Full"* &&
	   $out == *"Link detected: no"* ]] || fail "ethtool says: $out"
	capture out ip netns exec "$A" ethtool -T v0
	[[ $out == *software-transmit* && $out == *software-receive* ]] ||
		fail "ethtool -T says: $out"
}

# Rings, channels and XDP belong to a later version: none may be offered.
test_lists()
{
	local out

	pair
	run ip -n "$A" link set v0 promisc on
	link_has "$A" v0 promiscuity=1
	run ip -n "$A" maddr add 01:00:5e:00:00:2a dev v0
	capture out ip -n "$A" maddr show dev v0
	[[ $out == *01:00:5e:00:00:2a* ]] || fail "not on the list: $out"
	run ip -n "$A" link set v0 address 02:00:00:00:00:2a
	link_has "$A" v0 address=02:00:00:00:00:2a
	pings "$B" 10.77.0.1
}

# ---------------------------------------------------- traffic

# adds_up SENT: of SENT packets from A, each is in a counter of each end.
adds_up()
{
	local -A a b

	counters a "$A" v0
	counters b "$B" v1
	note "v0 tx ${a[tx_packets]} dropped ${a[tx_dropped]}," \
	     "v1 rx ${b[rx_packets]} dropped ${b[rx_dropped]}"
	((a[tx_packets] + a[tx_dropped] == $1)) ||
		fail "v0: tx_packets + tx_dropped is not $1"
	((a[tx_packets] + a[tx_dropped] ==
	  b[rx_packets] + b[rx_dropped])) ||
		fail "v0's tx + dropped is not v1's rx + dropped"
}

settled()
{
	local -A a b

	counters a "$A" v0
	counters b "$B" v1
	((b[rx_packets] + b[rx_dropped] >= a[tx_packets]))
}

test_counters()
{
	local -A a b

	setup_ns A B
	silence "$A" "$B"
	setup_pair "$A" "$B"
	run "$PACKETS" -n "$A" v0 10000 100
	within 5 settled
	adds_up 10000
	counters a "$A" v0
	counters b "$B" v1
	is "${a[tx_bytes]}" $((a[tx_packets] * 100)) "bytes sent by v0"
	is "${b[rx_bytes]}" $((b[rx_packets] * 100)) "bytes received by v1"
	run "$PACKETS" -n "$B" v1 1000 1514
	counters b "$B" v1
	is $((b[tx_packets] + b[tx_dropped])) 1000 "sent by v1"
	is "${b[tx_bytes]}" $((b[tx_packets] * 1514)) "bytes sent by v1"
}

test_counters_too_long()
{
	local -A b

	setup_ns A B
	silence "$A" "$B"
	setup_pair "$A" "$B"
	run ip -n "$B" link set v1 mtu 500
	run "$PACKETS" -n "$A" v0 100 1000
	adds_up 100
	counters b "$B" v1
	is "${b[rx_packets]}" 0 "too long packets received by v1"
}

# With the peer down the stack keeps most packets from the driver; what
# the driver does get must add up.
test_counters_peer_down()
{
	local flood CORE_DROPS=1

	# An in-tree one does not say which of the drops are the core's.
	ours "$VNVETH"
	setup_ns A B
	silence "$A" "$B"
	setup_pair "$A" "$B"
	start flood "$PACKETS" -n "$A" v0 0 100
	flood=$PID
	receives 300 "$B" v1
	run ip -n "$B" link set v1 down
	kill "$flood"
	ended flood "$flood" 10
	closes "$A" v0 "$B" v1
}

test_vlan()
{
	modprobe -q 8021q
	[[ -d /proc/net/vlan ]] || skip "this kernel has no VLANs"
	pair
	run ip -n "$A" link add link v0 name v0.5 type vlan id 5
	run ip -n "$B" link add link v1 name v1.5 type vlan id 5
	run ip -n "$A" addr add 10.77.5.1/24 dev v0.5
	run ip -n "$B" addr add 10.77.5.2/24 dev v1.5
	run ip -n "$A" link set v0.5 up
	run ip -n "$B" link set v1.5 up
	pings "$A" 10.77.5.2 -M "do" -s 1472
	# another number does not get through
	run ip -n "$B" link del v1.5
	run ip -n "$B" link add link v1 name v1.6 type vlan id 6
	run ip -n "$B" addr add 10.77.5.2/24 dev v1.6
	run ip -n "$B" link set v1.6 up
	refused "100% packet loss" \
		ip netns exec "$A" ping -qc1 -W 0.3 10.77.5.2
}

# transfer FROM TO ADDRESS AMOUNT: TCP, by iperf3.
transfer()
{
	local server

	start server ip netns exec "$2" iperf3 -s1 --forceflush
	server=$PID
	eventually 10 "iperf3 listens" says server "Server listening"
	run timeout 60 ip netns exec "$1" iperf3 -c "$3" -n "$4" \
		--connect-timeout 5000 -f m
	ended server "$server" 10
	is "$STATUS" 0 "status of the iperf3 server"
}

# listen NAME NS ARGUMENT...: tcpdump, once it is at work
listen()
{
	start "$1" ip netns exec "$2" tcpdump -lnvv "${@:3}"
	eventually 10 "tcpdump listens" says "$1" "listening on"
}

test_gso()
{
	local -A a b
	local dump

	pair
	listen dump "$B" -i v1 -s 96 -c 1 greater 60000
	dump=$PID
	transfer "$A" "$B" 10.77.0.2 64M
	ended dump "$dump" 10
	is "$STATUS" 0 "tcpdump saw a packet of more than 60,000 bytes"
	counters a "$A" v0
	counters b "$B" v1
	note "bytes per packet: sent $((a[tx_bytes] / a[tx_packets]))," \
	     "received $((b[rx_bytes] / b[rx_packets]))"
	((b[rx_bytes] / b[rx_packets] > 10000)) ||
		fail "the packets were cut on their way"
	# iperf3 ends when all is sent, not when all has come
	((b[rx_bytes] > 56 * 1024 * 1024)) ||
		fail "v1 counted only ${b[rx_bytes]} bytes"
}

# The sender leaves checksums to the "hardware", and the pair carries them
# unfinished. On the far side of a bridge port that can't do checksums they
# have to be there, and right:
#
#   A: v0 ==== v1 -- bridge in B -- w0 (tx off) ==== w1 :C
test_checksum()
{
	local near far

	setup_ns A B C
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 peer name v1 netns "$B"
	run "$NEWLINK" -n "$B" add "$VNVETH" name w0 peer name w1 netns "$C"
	run ip netns exec "$B" ethtool -K w0 tx off
	run ip -n "$B" link add br0 type bridge
	run ip -n "$B" link set v1 master br0 up
	run ip -n "$B" link set w0 master br0 up
	run ip -n "$B" link set br0 up
	run ip -n "$A" addr add 10.77.0.1/24 dev v0
	run ip -n "$C" addr add 10.77.0.3/24 dev w1
	run ip -n "$A" link set v0 up
	run ip -n "$C" link set w1 up
	pings "$A" 10.77.0.3
	listen near "$A" -i v0 -s 0 -c 20 "src 10.77.0.1 and greater 1000"
	near=$PID
	listen far "$C" -i w1 -s 0 -c 100 "src 10.77.0.1 and greater 1000"
	far=$PID
	transfer "$A" "$C" 10.77.0.3 4M
	ended far "$far" 20
	ended near "$near" 20
	grep -q "cksum.*incorrect" "$WORK/near" ||
		fail "the sender did not leave checksums to the pair"
	! grep -q "cksum.*incorrect" "$WORK/far" ||
		fail "bad checksums: $(grep -m3 incorrect "$WORK/far")"
	is "$(grep -c "cksum.*(correct)" "$WORK/far")" 100 \
		"packets with the right checksum"
}

# watch NS DEV ingress|egress MATCH...
watch()
{
	run tc -n "$1" filter replace dev "$2" "$3" protocol all prio 1 \
		"${@:4}" action pass
}

# Marks and priorities are of one namespace: they do not cross with the
# packet.
test_scrub()
{
	local match

	modprobe -qa cls_fw cls_basic em_meta ||
		skip "this kernel has no tc filters for marks or priorities"
	pair
	run tc -n "$A" qdisc add dev v0 clsact
	run tc -n "$B" qdisc add dev v1 clsact
	for match in "handle 42 fw" "basic match meta(priority\ eq\ 5)"; do
		eval "set -- $match"
		watch "$A" v0 egress "$@"
		watch "$B" v1 ingress "$@"
		run "$PACKETS" -n "$A" -m 42 -p 5 v0 100 60
		hits "$A" v0 egress
		is "$HITS" 100 "packets that left v0 with the mark"
		hits "$B" v1 ingress
		is "$HITS" 0 "packets that reached v1 with the mark"
		run tc -n "$A" filter del dev v0 egress
		run tc -n "$B" filter del dev v1 ingress
	done
}

# A BPF program may send packets past v0 into its peer's namespace; it asks
# the driver for the peer, and the core counts them at v1:
#
#   A: u0 ==== u1 :C: v0 ==== v1 :B
#            ingress --------> here
test_redirect_peer()
{
	local pin=$WORK/bpf/redirect
	local -A c b

	# tc -n has a /sys of its own, so not the one in there
	run mkdir "$WORK/bpf"
	run mount -t bpf none "$WORK/bpf"
	defer umount "$WORK/bpf"
	setup_ns A B C
	silence "$A" "$B" "$C"
	run "$NEWLINK" -n "$A" add "$VNVETH" name u0 peer name u1 netns "$C"
	run "$NEWLINK" -n "$C" add "$VNVETH" name v0 index 4710 \
		peer name v1 netns "$B"
	run ip -n "$A" link set u0 up
	run ip -n "$C" link set u1 up
	run ip -n "$C" link set v0 up
	run ip -n "$B" link set v1 up
	eventually 5 "carrier on v1" carrier_is "$B" v1 up
	eventually 5 "carrier on u0" carrier_is "$A" u0 up
	run "$REDIRECT" 4710 "$pin"
	run tc -n "$C" qdisc add dev u1 clsact
	run tc -n "$C" filter add dev u1 ingress bpf da object-pinned "$pin"
	run "$PACKETS" -n "$A" u0 500 60
	eventually 5 "500 packets received by v1" \
		more_than 499 "$B" v1 rx_packets
	counters b "$B" v1
	counters c "$C" v0
	is "${b[rx_packets]}" 500 "packets received by v1"
	is "${b[rx_dropped]}" 0 "packets dropped by v1"
	is "${c[tx_packets]}" 0 "packets sent by v0"
}

subtests \
	plain "made with no option" \
	peer_attributes "the peer's attributes as ip sends them for veth" \
	peer_up "the peer's part may bring it up" \
	parentdev "parentdev names the peer" \
	link_netns "link-netns says where the peer is" \
	peer_netns "the peer's namespace by file and by process" \
	iflink "each end shows its peer" \
	moves "either end moves" \
	delete "either end deletes both" \
	netns_exit "a namespace takes both ends with it" \
	netns_exit_in_flight "so it does under traffic" \
	delete_in_flight "deleted under traffic" \
	carrier "carrier when both ends are up" \
	mtu "MTU 68 to 65535" \
	features "the features of in-tree veth" \
	big_tcp "the sizes of in-tree veth" \
	queues "one queue, or as many as asked for" \
	ethtool "driver, link settings, time stamping" \
	lists "promiscuous, multicast list, address" \
	counters "10,000 packets add up" \
	counters_too_long "packets beyond the peer's MTU add up" \
	counters_peer_down "packets add up while the peer goes down" \
	vlan "VLANs" \
	gso "64 KB packets cross in one piece" \
	checksum "checksums left to the pair are right at a third place" \
	scrub "mark and priority stay in their namespace" \
	redirect_peer "bpf_redirect_peer finds the peer, and is counted"
