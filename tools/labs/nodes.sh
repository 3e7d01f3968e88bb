# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Two nodes of a cluster, for the labs that source this behind lib.sh: each has a
# NIC and an Open vSwitch of its own, whose datapath, the kernel's, is one for each
# network namespace. A tunnel joins their bridges.
#
#	node1  br-int - tun0 .. [ nic1 ] 192.0.2.1
#	                            |
#	                           pair
#	                            |
#	node2  br-int - tun0 .. [ nic2 ] 192.0.2.2
#
# The address of a NIC is that of tun0's outer packets. What br-int carries has
# 10.16.0.0/16.

# shellcheck disable=SC2034 # the labs add to it, lib.sh reads it
NEEDS=(ovs-appctl ovs-ofctl ovs-vsctl ovs-vswitchd ovsdb-server ovsdb-tool socat)

# Where Debian keeps the daemon
PATH+=:/usr/lib/openvswitch-switch:$UNPACKED/lib/openvswitch-switch

# What fits into 1500 bytes behind the headers of VXLAN or Geneve: 20 of IPv4, 8
# of UDP, 8 of the tunnel's own, 14 of Ethernet
MTU=1450

# ------------------------------------------------------------ Open vSwitch

# ask NODE COMMAND...: a program of Open vSwitch finds the one of this node
ask()
{
	env "OVS_RUNDIR=$FOLDER/$1" "${@:2}"
}

# on NODE COMMAND...: the same, shown
on()
{
	run env "OVS_RUNDIR=$FOLDER/$1" "${@:2}"
}

# vswitch NODE: its data base and its daemon. The datapath's flows stay, to be
# looked at; else they go when nothing has come by for 10 seconds.
vswitch()
{
	local dir=$FOLDER/$1 schema

	schema=$(type -P ovs-vsctl)
	schema=${schema%/bin/*}/share/openvswitch/vswitch.ovsschema
	run mkdir "$dir"
	run ovsdb-tool create "$dir/conf.db" "$schema"
	start ip netns exec "$1" ovsdb-server "$dir/conf.db" \
		"--remote=punix:$dir/db.sock" "--unixctl=$dir/ovsdb.ctl"
	within 20 test -S "$dir/db.sock" || die "the data base of $1 did not" \
		"come up: $(tail -n 5 "$STATE.log")"
	on "$1" ovs-vsctl --no-wait init -- \
		set Open_vSwitch . other_config:max-idle=3600000
	start env "OVS_RUNDIR=$dir" ip netns exec "$1" \
		ovs-vswitchd --pidfile "unix:$dir/db.sock"
}

# vsctl NODE WORD...: until it is done
vsctl()
{
	on "$1" ovs-vsctl --timeout=$((60 * ${VNIC_PATIENCE:-1})) "${@:2}"
}

nodes()
{
	local node

	load openvswitch "$@"
	ns node1 node2
	run ip -n node1 link add nic1 parentdev nic2 link-netns node2 type vnveth
	run ip -n node1 addr add 192.0.2.1/24 dev nic1
	run ip -n node2 addr add 192.0.2.2/24 dev nic2
	run ip -n node1 link set nic1 up
	run ip -n node2 link set nic2 up
	for node in node1 node2; do
		vswitch "$node"
		vsctl "$node" add-br br-int
	done
}

# The device that Open vSwitch makes for all tunnels of a kind
declare -A TUNNEL=([geneve]=genev_sys_6081 [vxlan]=vxlan_sys_4789 [gre]=gre_sys)

# tunnel KIND CSUM: between the two; with checksums of the outer packets, or not.
# What the datapaths know, they have to find out anew.
tunnel()
{
	local node

	KIND=$1 CSUM=$2
	peer node1 192.0.2.2
	peer node2 192.0.2.1
	for node in node1 node2; do
		ready "$node" "${TUNNEL[$KIND]}"
		on "$node" ovs-appctl revalidator/purge
	done
}

# A flow of before an answer came floods until its switch has looked at it again.
learned()
{
	local node

	for node in node1 node2; do
		ask "$node" ovs-appctl --timeout=60 revalidator/wait ||
			die "the flows of $node are not looked at"
	done
}

# peer NODE REMOTE
peer()
{
	vsctl "$1" --may-exist add-port br-int tun0 -- set interface tun0 \
		"type=$KIND" "options:remote_ip=$2" options:key=100 \
		"options:csum=$CSUM"
}

# pod NAME NODE ADDRESS [BRIDGE]: with a pair to its node
pod()
{
	ns "$1"
	run ip -n "$2" link add "$1_h" parentdev eth0 link-netns "$1" type vnveth
	run ip -n "$2" link set "$1_h" mtu "$MTU" up
	run ip -n "$1" link set eth0 mtu "$MTU" up
	run ip -n "$1" addr add "$3/16" dev eth0
	vsctl "$2" add-port "${4:-br-int}" "$1_h"
}

# ------------------------------------------------------------ is it so?

# Tunnels with and without a checksum are tested. VNIC_SHORT=1 is for who has no
# time: with it alone, and of two tests that are alike, one.
# shellcheck disable=SC2034 # the labs use it
SUMS=(false true)
[[ ! ${VNIC_SHORT:-} ]] || SUMS=(true)

datapath()
{
	ask "$1" ovs-appctl dpctl/dump-flows --names
}

has_flow()
{
	FLOWS=$(datapath "$1") && grep -Em 1 "$2" <<<"$FLOWS"
}

# flow NODE PATTERN: its datapath has such a flow
flow()
{
	within 10 has_flow "$@" >"$FOLDER/flow" ||
		die "$1 has no flow '$2', but:"$'\n'"$FLOWS"
	say "flow of $1: $(<"$FOLDER/flow")"
}

# flows FROM FROM-NODE TO TO-NODE: what FROM, a port of br-int on its node, sends
# to the port TO of the other goes by the tunnel. The key is 100.
flows()
{
	local device=${TUNNEL[$KIND]} port='' sum='' sign=- other=+ to=192.0.2.2
	local from=192.0.2.1

	[[ $2 == node1 ]] || from=192.0.2.2 to=192.0.2.1
	case $KIND in
	geneve) port=tp_dst=6081, ;;
	vxlan) port=tp_dst=4789, ;;
	esac
	[[ $CSUM == false ]] || sum='[|]csum' sign=+ other=-
	flow "$2" "in_port[(]$1[)].*,eth_type[(]0x0800[)].* actions:\
set[(]tunnel[(]tun_id=0x64,dst=$to,ttl=64,${port}\
flags[(]df${sum}[|]key[)][)][)],${device}\$"
	flow "$4" "tunnel[(]tun_id=0x64,src=$from,dst=$to,.*\
flags[(]-df[$sign]csum[+]key[)][)],in_port[(]${device}[)],.*\
,eth_type[(]0x0800[)].* actions:$3\$"
	# The datapath tells it by the packets that have come in.
	! has_flow "$4" "[$other]csum" ||
		die "$4 has a flow of packets with the other kind of checksum"
}

# big FROM ADDRESS NODE NIC: a ping fills the NIC's MTU, and a byte more does not
# fit. Both ways: one packet, of 1450 and what the tunnel has put before it
big()
{
	local size=$((MTU - 28)) frame=$((14 + MTU + 50))

	[[ $KIND != gre ]] || frame=$((14 + MTU + 42))
	FRAME=$frame
	counts "$frame" "$3" "$4" tx_bytes \
		ip netns exec "$1" ping -q -c 1 -w 20 -M 'do' -s "$size" "$2"
	! ip netns exec "$1" ping -q -c 1 -W 1 -M 'do' -s $((size + 1)) "$2" \
		>/dev/null 2>&1 || die "a ping of $((size + 1)) bytes fits"
}

# waits NS u|t PORT: a program there waits for UDP or TCP
waits()
{
	[[ $(ip netns exec "$1" ss "-Hln$2" "sport = :$3") ]]
}

# arrived FROM TO: the file is there, and the same
arrived()
{
	within 20 cmp -s "$1" "$2" || die "of $(stat -c %s "$1") bytes" \
		"$(stat -c %s "$2") have come, or others than those"
}

# datagrams FILE SIZE: one a line, in an order of their own
datagrams()
{
	od -An -v -tx1 "-w$2" "$1" | sort
}

# all_there FROM TO SIZE: the file's datagrams are there, and the same. They may
# overtake each other: a busy daemon takes flows out of the datapath, and is asked.
all_there()
{
	[[ -s $2 ]] && cmp -s <(datagrams "$1" "$3") <(datagrams "$2" "$3")
}

# udp FROM TO ADDRESS NODE NIC: 40 datagrams as long as the MTU allows, each in
# one frame of NIC. One more is ahead of them, and alone: of the first packet of a
# kind the datapath asks the daemon, which keeps few of those that come meanwhile.
udp()
{
	local dir=$FOLDER size=$((MTU - 28)) receiver
	local -a send=(ip netns exec "$1" socat -u -b "$size")
	local to=UDP-SENDTO:$3:7777,sourceport=7778

	head -c "$size" /dev/urandom >"$dir/first"
	head -c $((40 * size)) /dev/urandom >"$dir/rest"
	cat "$dir/first" "$dir/rest" >"$dir/all"
	rm -f "$dir/got"
	start ip netns exec "$2" socat -u UDP-RECV:7777 "CREATE:$dir/got"
	receiver=$!
	within 20 waits "$2" u 7777 || die "nobody waits in $2"
	run "${send[@]}" "OPEN:$dir/first" "$to"
	arrived "$dir/first" "$dir/got"
	counts $((40 * FRAME)) "$4" "$5" tx_bytes \
		"${send[@]}" "OPEN:$dir/rest" "$to"
	within 20 all_there "$dir/all" "$dir/got" "$size" ||
		die "of $(stat -c %s "$dir/all") bytes" \
		"$(stat -c %s "$dir/got") have come, or others than those"
	kill "$receiver"
	wait "$receiver" 2>/dev/null
	say "UDP from $1 to $2: 40 datagrams of $size bytes"
}

# tcp FROM TO ADDRESS NIC: both ways at once. What TO sends comes to NIC, by which
# it leaves its node, in pieces that are not cut yet.
tcp()
{
	local dir=$FOLDER side receiver whole

	for side in here there; do
		head -c 400000 /dev/urandom >"$dir/$side"
		rm -f "$dir/to-$side"
	done
	start ip netns exec "$2" socat -t 60 \
		"OPEN:$dir/there!!CREATE:$dir/to-there" TCP-LISTEN:7777,reuseaddr
	receiver=$!
	within 20 waits "$2" t 7777 || die "nobody waits in $2"
	listen
	run ip netns exec "$1" socat -t 60 -T 60 \
		"OPEN:$dir/here!!CREATE:$dir/to-here" "TCP:$3:7777"
	wait "$receiver"
	arrived "$dir/here" "$dir/to-there"
	arrived "$dir/there" "$dir/to-here"
	# 20 of IPv4, and 32 of TCP with its time stamps
	whole=$(grep -c "xmit: dev=$4 .* gso_size=$((MTU - 52)) " \
		"$INSTANCE/trace")
	end_instance "$INSTANCE"
	((whole > 0)) || die "$4 gets no segments of $((MTU - 52)) bytes to cut"
	say "TCP between $1 and $2: $4 had $whole packets to cut into segments" \
		"of $((MTU - 52)) bytes"
}
