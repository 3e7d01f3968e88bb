#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vnic-hub: devices, namespaces and UDP peers in one network.
#
#     A                B                C           one hub (the switch)
#   t0 10.79.0.1    t0 10.79.0.2     t0 10.79.0.3
#    |________________|________________|
#                 vnic-hub
#
#     A                                B            two hubs (UDP)
#   t0 10.79.0.1                     t0 10.79.0.2
#    |                                 |
#   vnic-hub                         vnic-hub
#    |                                 |
#   v0 10.77.0.1  === vnveth pair ==  v1 10.77.0.2

. "$(dirname "$0")/lib.sh"
need_kind vntap "$VNVETH"
need_tools ping socat
need_helpers newlink packets
need_programs vnic-hub

# hub NAME ARGUMENT...: its process is $PID, once it is ready
hub()
{
	hub_in "$1" "" "${@:2}"
}

# The same in namespace $2.
hub_in()
{
	start "$1" ${2:+ip netns exec "$2"} "$VNIC_HUB" "${@:3}"
	eventually 10 "$1 is ready; it says: $(cat "$WORK/$1")" \
		ready "$1" "$PID"
}

ready()
{
	says "$1" "ports$" || {
		running "$2" || fail "$1 has ended: $(cat "$WORK/$1")"
		false
	}
}

# address NS HOST...: of t0, and no question for anybody's MAC address.
address()
{
	local host

	run ip -n "$1" addr add "10.79.0.$2/24" dev t0
	run ip -n "$1" link set t0 address "02:00:00:00:00:0$2"
	for host in "${@:3}"; do
		run ip -n "$1" neigh add "10.79.0.$host" dev t0 \
			lladdr "02:00:00:00:00:0$host"
	done
}

# pings NS HOST COUNT [OPTION...]
pings()
{
	run ip netns exec "$1" ping -q -c "$3" -i 0.02 -W 5 "${@:4}" \
		"10.79.0.$2"
}

# transfer FROM TO HOST: a file, which comes out as it went in
transfer()
{
	head -c 1000000 /dev/urandom > "$WORK/sent"
	rm -f "$WORK/came"
	start receiver ip netns exec "$2" socat -u TCP-LISTEN:7000,reuseaddr \
		"CREATE:$WORK/came"
	eventually 10 "the receiver listens" listens "$2" 7000
	run ip netns exec "$1" socat -u "OPEN:$WORK/sent" \
		"TCP:10.79.0.$3:7000"
	ended receiver "$PID" 30
	run cmp "$WORK/sent" "$WORK/came"
}

listens()
{
	ip netns exec "$1" ss -Hltn | grep -q ":$2 "
}

# report NAME PID: the counters that it prints now, in $REPORT
report()
{
	local before

	before=$(<"$WORK/$1")
	kill -USR1 "$2" || fail "$1 has ended: $before"
	eventually 5 "$1 reports" reported "$1" "$before"
	note "$REPORT"
}

# What it has added, once that has its last line
reported()
{
	REPORT=$(<"$WORK/$1")
	REPORT=${REPORT#"$2"}
	[[ $REPORT == *$'\nhub '*strangers=* ]]
}

# reports VAR PORT COUNTER: one of them
reports()
{
	[[ $REPORT =~ $'\n'"$2 "[^$'\n']*"$3="([0-9]+) ]] ||
		fail "no $3 of $2"
	printf -v "$1" '%s' "${BASH_REMATCH[1]}"
}

# hub_counts PORT COUNTER N: is it N or more?
hub_counts()
{
	local count

	report hub "$HUB"
	reports count "$1" "$2"
	((count >= $3))
}

# ends NAME PID: on SIGTERM, with its counters
ends()
{
	run kill "$2"
	ended "$1" "$2" 10
	is "$STATUS" 0 "status after SIGTERM"
	says "$1" "^hub addresses=" || fail "no counters at the end"
}

three()
{
	setup_ns A B C
	silence "$A" "$B" "$C"
	hub hub "$@" "tap:t0@$A" "tap:t0@$B" "tap:t0@$C"
	address "$A" 1 2 3
	address "$B" 2 1 3
	address "$C" 3 1 2
}

test_switch()
{
	local -A before after
	local count

	three
	HUB=$PID
	pings "$A" 2 3
	pings "$C" 1 3
	pings "$B" 3 3
	# Where everybody is, it knows by now: the third hears nothing.
	counters before "$C" t0
	pings "$A" 2 50
	counters after "$C" t0
	is $((after[rx_packets] - before[rx_packets])) 0 \
		"packets of A and B that came to C"
	report hub "$HUB"
	reports count hub addresses
	is "$count" 3 "addresses learned"
	# Nobody has heard himself.
	counters after "$A" t0
	is "${after[rx_packets]}" 56 "packets that came to A"
	reports count "tap:t0@$A" tx_packets
	is "$count" 56 "packets that were sent to A"
	# A broadcast goes to each of the others, once.
	counters before "$C" t0
	run "$PACKETS" -n "$A" t0 70 1000
	eventually 5 "70 broadcasts came to C" \
		more_than $((before[rx_packets] + 69)) "$C" t0 rx_packets
	report hub "$HUB"
	reports count "tap:t0@$A" tx_packets
	is "$count" 56 "packets that were sent to A"
	transfer "$A" "$B" 2
	# An address that turns up elsewhere is where it was seen last.
	run ip -n "$C" link set t0 address 02:00:00:00:00:02
	run "$PACKETS" -n "$C" t0 1 60
	eventually 5 "it has moved" hub_counts hub moved 1
	ends hub "$HUB"
	gone "$A" t0 || fail "t0 has outlived the program that made it"
}

# Are so many addresses known?
knows()
{
	report hub "$HUB"
	reports KNOWN hub addresses
	((KNOWN == $1))
}

test_age()
{
	local -A before after

	three --age 1
	HUB=$PID
	pings "$A" 2 3
	eventually 10 "who is silent is forgotten" knows 0
	counters before "$C" t0
	pings "$A" 2 1
	counters after "$C" t0
	is $((after[rx_packets] - before[rx_packets])) 1 \
		"packets to an unknown address that came to C, too"
}

# over_udp KIND ADDRESS1 ADDRESS2: a hub in A and one in B
over_udp()
{
	hub_in hub1 "$A" --bind "$2:7007" --mtu 1400 "$1:t0" "udp:$3:7007"
	HUB1=$PID
	hub_in hub2 "$B" --bind "$3:7007" --mtu 1400 "$1:t0" "udp:$2:7007"
	HUB2=$PID
}

pair()
{
	setup_ns A B
	silence "$A" "$B"
	setup_pair "$A" "$B"
}

test_udp()
{
	local sent came

	pair
	over_udp tap 10.77.0.1 10.77.0.2
	address "$A" 1
	address "$B" 2
	link_has "$A" t0 mtu=1400
	pings "$A" 2 20
	pings "$B" 1 5 -s 1372 -M "do"
	transfer "$A" "$B" 2
	report hub1 "$HUB1"
	reports sent udp:10.77.0.2:7007 tx_packets
	report hub2 "$HUB2"
	reports came udp:10.77.0.1:7007 rx_packets
	((came > 700 && sent >= came)) ||
		fail "$sent were sent and $came came"
	ends hub1 "$HUB1"
	ends hub2 "$HUB2"
}

test_udp6()
{
	[[ -d /proc/sys/net/ipv6 ]] || skip "this kernel has no IPv6"
	setup_ns A B
	setup_pair "$A" "$B"
	run ip -n "$A" addr add fd00::1/64 dev v0 nodad
	run ip -n "$B" addr add fd00::2/64 dev v1 nodad
	over_udp tap '[fd00::1]' '[fd00::2]'
	run ip -n "$A" addr add 10.79.0.1/24 dev t0
	run ip -n "$B" addr add 10.79.0.2/24 dev t0
	pings "$A" 2 5
}

test_tun()
{
	local count

	pair
	over_udp tun 10.77.0.1 10.77.0.2
	run ip -n "$A" addr add 10.79.0.1/24 dev t0
	run ip -n "$B" addr add 10.79.0.2/24 dev t0
	pings "$A" 2 20
	transfer "$B" "$A" 1
	report hub1 "$HUB1"
	reports count tun:t0 rx_bad
	is "$count" 0 "packets that are none"
}

# With three of them each packet comes to both of the others.
test_tun_hub()
{
	local -A now

	setup_ns A B C
	silence "$A" "$B" "$C"
	hub hub "tun:t0@$A" "tun:t0@$B" "tun:t0@$C"
	for host in 1 2 3; do
		eval "ns=\$$(tr 123 ABC <<< $host)"
		# shellcheck disable=SC2154
		run ip -n "$ns" addr add "10.79.0.$host/24" dev t0
	done
	pings "$A" 2 10
	counters now "$C" t0
	is "${now[rx_packets]}" 20 "questions and answers that came to C"
}

# datagrams SIZE: what comes on standard input, to the hub in A as its peer
datagrams()
{
	note "+ ... | socat -u -b $1 - UDP-SENDTO:10.77.0.1:7007,sp=${2:-7007}"
	ip netns exec "$B" socat -u -b "$1" - \
		"UDP-SENDTO:10.77.0.1:7007,bind=10.77.0.2:${2:-7007}" ||
		fail "socat"
}

test_bad_udp()
{
	local peer=udp:10.77.0.2:7007 count frame zeros=000000000000

	pair
	hub_in hub "$A" -b 10.77.0.1:7007 tap:t0 "$peer"
	HUB=$PID
	# Too short for a frame.
	printf '\2\2\2\2\2\2\2\2\2\2\2\2\2' | datagrams 13
	head -c 1 /dev/zero | datagrams 1
	# From nobody, and from a group.
	head -c 60 /dev/zero | datagrams 60
	printf '\377\377\377\377\377\377\001\0\0\0\0\1\010\0%s' $zeros |
		datagrams 60
	eventually 5 "four are bad" hub_counts "$peer" rx_bad 4
	reports count tap:t0 tx_packets
	is "$count" 0 "bad ones that were let through"
	# The longest there is, more than any interface takes.
	{
		printf '\377\377\377\377\377\377\002\0\0\0\0\1\010\0'
		head -c 65493 /dev/zero
	} > "$WORK/longest"
	datagrams 65507 < "$WORK/longest"
	eventually 5 "it comes" hub_counts "$peer" rx_packets 5
	# Whatever else there may be.
	head -c 500000 /dev/urandom | datagrams 500
	head -c 6000 /dev/urandom | datagrams 20
	eventually 10 "1,300 came" hub_counts "$peer" rx_packets 1200
	# From somebody else.
	printf '\377\377\377\377\377\377\002\0\0\0\0\2\010\0%s' $zeros |
		datagrams 60 7008
	eventually 5 "a stranger" hub_counts hub strangers 1
	# A frame that is one still comes through, when the crowd is gone.
	reports frame tap:t0 tx_packets
	printf '\377\377\377\377\377\377\002\0\0\0\0\1\010\0%s' $zeros |
		datagrams 60
	eventually 5 "a good one" hub_counts tap:t0 tx_packets $((frame + 1))
	ends hub "$HUB"
}

# The far end has no name here; it is known once it has said something.
test_learn()
{
	pair
	hub_in hub "$A" --bind 10.77.0.1:7007 --learn 1 tap:t0
	HUB=$PID
	hub_in hub2 "$B" --keepalive 1 tap:t0 udp:10.77.0.1:7007
	address "$A" 1
	address "$B" 2
	eventually 10 "the peer has come" says hub "has come$"
	pings "$A" 2 5
	# There is no room for a second one.
	head -c 60 /dev/zero | datagrams 60 7008
	eventually 5 "a stranger" hub_counts hub strangers 1
}

# A device that was there stays, also one of many queues, and is given back.
# All of that with nothing left of what root may do.
test_existing()
{
	local ids

	setup_ns A B
	silence "$A" "$B"
	run ip -n "$A" link add t0 type vntap
	run ip -n "$B" link add t0 numtxqueues 4 type vntap
	hub hub --user nobody "tap:t0@$A" "tap:t0@$B"
	HUB=$PID
	ids=$(<"/proc/$HUB/status")
	note "$ids"
	[[ $ids =~ Uid:[[:space:]0-9]*[[:space:]]0[[:space:]] ]] &&
		fail "it is root"
	[[ $ids =~ CapEff:[[:space:]]*0000000000000000 &&
	   $ids =~ NoNewPrivs:[[:space:]]*1 ]] ||
		fail "it has privileges, or can get some"
	address "$A" 1
	address "$B" 2
	pings "$A" 2 5
	refused "another program has it" "$VNIC_HUB" "tap:t0@$A" tap:x0
	ends hub "$HUB"
	exists "$A" t0 || fail "t0 is gone from A"
	exists "$B" t0 || fail "t0 is gone from B"
}

test_deleted()
{
	setup_ns A B
	silence "$A" "$B"
	hub hub "tap:t0@$A" "tap:t0@$B"
	HUB=$PID
	address "$A" 1 2
	run ip -n "$B" link del t0
	eventually 5 "it notices" says hub "tap:t0@$B: there is no device"
	# and goes on
	ip netns exec "$A" ping -qc 3 -i 0.02 -W 0.1 10.79.0.2 >/dev/null
	eventually 5 "it counts" hub_counts "tap:t0@$A" rx_packets 3
	run ip -n "$A" link del t0
	ended hub "$HUB" 10
	is "$STATUS" 1 "status without a device"
	says hub "no device is left" || fail "it does not say why"
}

# wrong STATUS TEXT ARGUMENT...
wrong()
{
	local out status

	note "+ vnic-hub ${*:3}   (must end with $1)"
	out=$("$VNIC_HUB" "${@:3}" 2>&1)
	status=$?
	note "$out"
	is "$status" "$1" "status"
	[[ $out == *"$2"* ]] || fail "it does not say '$2'"
}

test_wrong()
{
	setup_ns A
	wrong 2 "name a device"
	wrong 2 "name two ports" "tap:t0@$A"
	wrong 2 "t0 is no port" t0 t1
	wrong 2 "taps and tuns" "tap:t0@$A" "tun:t1@$A"
	wrong 2 "name a device" udp:127.0.0.1:7 udp:127.0.0.1:8
	wrong 2 "needs --bind" --learn 1 "tap:t0@$A"
	wrong 2 "give a number from 68 to 65535" --mtu 1 "tap:t0@$A" tap:t1
	wrong 2 "give a number" --age -1 "tap:t0@$A" tap:t1
	wrong 2 "" --colour
	wrong 1 "no such network namespace" tap:t0@nowhere tap:t1
	wrong 1 "1 to 15 letters" "tap:@$A" tap:t1
	wrong 1 "1 to 15 letters" "tap:abcdefghijklmnop@$A" tap:t1
	wrong 1 "give ADDRESS:PORT" "tap:t0@$A" udp:127.0.0.1
	wrong 1 "no user" --user no-such-one "tap:t0@$A" "tap:t1@$A"
	run ip -n "$A" link add d0 type "$VNVETH"
	wrong 1 "of another kind" "tap:d0@$A" tap:t1
	run "$VNIC_HUB" --help
	run "$VNIC_HUB" --version
}

subtests \
	switch "three taps: learned addresses, broadcasts, TCP; nothing comes back" \
	age "silent addresses are forgotten" \
	udp "two hubs joined by UDP: ping, MTU, TCP" \
	udp6 "the same by IPv6" \
	tun "a point-to-point link of two tuns" \
	tun_hub "three tuns" \
	bad_udp "hostile datagrams are counted and do no harm" \
	learn "a peer that was not named" \
	existing "devices that were there; privileges given up" \
	deleted "devices that are deleted under it" \
	wrong "what is wrong is said, with its own exit status"
