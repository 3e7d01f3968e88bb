#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What real systems build on a pair, with vnveth in veth's place: switches,
# bonds, tunnels, filters, the networks of containers. Most of it has this form,
# and each test draws what differs:
#
#      A: v0 ======== p0 :S: p1 ======== v1 :B
#      ping, TCP        \     /          ping, TCP
#                   what it is about
#
# A ping says that packets get through, and never which way they took: each test
# looks at the thing itself too. In the end every packet that one end of a pair
# has sent is in a counter of the other.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_links.sh"
need_kind "$VNVETH" "$VNDUMMY"
need_tools bridge cmp ethtool iperf3 nsenter ping setpriv socat sysctl tc \
	tcpdump unshare
need_helpers newlink packets redirect

# ------------------------------------------------------------ places, pairs

# at PLACE COMMAND...: PLACE is a namespace, "box" (see below) or "box/NAME", a
# namespace of the box's own. Only as the command of run, start and their like.
at()
{
	case $1 in
	box) inside "${@:2}" ;;
	box/*) inside nsenter --net="/run/netns/${1#*/}" "${@:2}" ;;
	*) exec nsenter --net="/run/netns/$1" "${@:2}" ;;
	esac
}

# config TOOL PLACE LINE...: what ip, bridge or tc shall do there, in one process:
# without KVM it is those that take the time.
config()
{
	local out rc there

	case $2 in
	box) there=(inside "$1") ;;
	box/*) there=(inside "$1" -n "${2#*/}") ;;
	*) there=("$1" -n "$2") ;;
	esac
	note "$(printf "+ ${there[*]} %s\n" "${@:3}")"
	out=$(printf '%s\n' "${@:3}" | "${there[@]}" -batch - 2>&1 {IDLE}>&-)
	rc=$?
	[[ -z $out ]] || note "$out"
	((rc == 0)) || fail "$1 ended with $rc"
}

# quiet_ns VAR...: namespaces in which nothing sends but the test. In each of them
# a process waits.
quiet_ns()
{
	local var lines=()

	for var; do
		printf -v "$var" 'vnic-%s-%s' "$$" "${var,,}"
		lines+=("netns add ${!var}")
		defer ip netns del "${!var}"
	done
	note "$(printf '+ ip %s\n' "${lines[@]}")"
	printf '%s\n' "${lines[@]}" | ip -batch - || fail "no namespaces"
	for var; do
		occupy "${!var}" "$var" at "${!var}"
	done
	for var; do
		eventually 20 "${!var} is quiet" says "$var" ready
	done
}

# occupy NAME FILE COMMAND...: a process in the namespace that is called NAME here
# and entered with COMMAND, from where its counters can be read, and which it has
# silenced when FILE says "ready".
declare -A OCCUPANT
occupy()
{
	start "$2" "${@:3}" sh -c "$QUIET && echo ready && exec sleep 1000"
	OCCUPANT[$1]=$PID
}
QUIET='cd /proc/sys/net && { [ ! -d ipv6 ] || echo 1 >ipv6/conf/default/disable_ipv6; }'

PAIRS=()

# join NS1 END1 NS2 END2: a pair. An end is DEV, DEV=ADDRESS or DEV:BRIDGE.
join()
{
	local one=${2%%[=:]*} two=${4%%[=:]*}

	run "$NEWLINK" -n "$1" add "$VNVETH" name "$one" \
		peer name "$two" netns "$3"
	join_end "$1" "$2"
	join_end "$3" "$4"
	PAIRS+=("$1 $one $3 $two")
	eventually 5 "$one has a carrier" carrier_is "$1" "$one" up
}

join_end()
{
	local dev=${2%%[=:]*}

	case $2 in
	*:*) config ip "$1" "link set $dev master ${2#*:} up" ;;
	*=*) config ip "$1" "addr add ${2#*=} dev $dev" "link set $dev up" ;;
	*) config ip "$1" "link set $dev up" ;;
	esac
}

setup_outer()
{
	join "$A" v0=10.77.0.1/24 "$B" w0=10.77.0.2/24
}

# knows NS DEV ADDRESS NS2 DEV2: ADDRESS is at DEV2, which nobody has to ask.
knows()
{
	local mac

	link_field mac "$4" "$5" address
	run ip -n "$1" neigh replace "$3" lladdr "$mac" dev "$2" nud permanent
}

# modules NAME [OPTION...]: skips without it.
modules()
{
	[[ -d /sys/module/$1 ]] || modprobe -q "$@" ||
		skip "this kernel has no $1"
}

# ------------------------------------------------------------ accounts

# Without a process for it, where one is there already; see lib.sh.
eval "slow_$(declare -f counters)"
counters()
{
	local -n counters_from=$1
	local line n=0 names=({rx,tx}_{bytes,packets,errors,dropped,_,_,_,_})

	if [[ -z ${OCCUPANT[$2]:-} ]]; then
		slow_counters "$@"
		return
	fi
	line=$(grep "^ *$3:" "/proc/${OCCUPANT[$2]}/net/dev") ||
		fail "$3 is not in $2"
	for line in ${line#*:}; do
		# shellcheck disable=SC2034	# a name reference
		counters_from["${names[n]}"]=$line
		n=$((n + 1))
	done
}

# agree NS1 DEV1 NS2 DEV2: what either end sent, the other received, or both
# of them count it as lost.
agree()
{
	local -A one two

	counters one "$1" "$2"
	counters two "$3" "$4"
	ACCOUNT="$2 sent ${one[tx_packets]} lost ${one[tx_dropped]}, \
$4 received ${two[rx_packets]} lost ${two[rx_dropped]}; \
$4 sent ${two[tx_packets]} lost ${two[tx_dropped]}, \
$2 received ${one[rx_packets]} lost ${one[rx_dropped]}"
	((one[tx_packets] + one[tx_dropped] ==
	  two[rx_packets] + two[rx_dropped] &&
	  two[tx_packets] + two[tx_dropped] ==
	  one[rx_packets] + one[rx_dropped]))
}

# Ends a test, with all pairs that are left. What is still under way may take
# its time. (veth does not promise it.)
accounts()
{
	local pair

	for pair in "${PAIRS[@]}"; do
		# shellcheck disable=SC2086	# four words
		within 10 agree $pair ||
			[[ $VNVETH != vnveth ]] || fail "$ACCOUNT"
		note "$ACCOUNT"
	done
}

# count VAR NS DEV COUNTER
count()
{
	local -A count_all

	counters count_all "$2" "$3"
	printf -v "$1" '%s' "${count_all[$4]}"
}

# counts NS DEV COUNTER WANTED WHAT
counts()
{
	local got

	count got "$1" "$2" "$3"
	is "$got" "$4" "$2 $3: $5"
}

# ------------------------------------------------------------ traffic

# pings PLACE ADDRESS [OPTION...]
pings()
{
	run at "$1" ping -qc 2 -i 0.02 -W 5 "${@:3}" "$2"
}

# deaf PLACE ADDRESS [OPTION...]: no answer. Where nobody even says whose address
# it is, the kernel goes on asking for three seconds, and then throws away what
# was sent meanwhile, the next ping too: that is cut short.
deaf()
{
	refused "100% packet loss" at "$1" ping -qc 1 -W 0.3 "${@:3}" "$2"
	run at "$1" ip neigh flush to "$2" nud incomplete
}

# bulk FROM TO ADDRESS [NS DEV tx|rx whole|cut]...: TCP from one place to the
# other, which has ADDRESS. The packets of it that DEV has sent (tx) or received
# (rx) are whole, as TCP makes them of up to 64 KB, or cut by somebody.
bulk()
{
	local -a packets=() bytes=() dev=("${@:4}")
	local server i got mean least most

	start server at "$2" iperf3 -s1 -B "$3" --forceflush
	server=$PID
	eventually 10 "iperf3 listens" says server "Server listening"
	for ((i = 0; i < ${#dev[@]}; i += 4)); do
		count got "${dev[@]:i:2}" "${dev[i + 2]}_packets"
		packets[i]=$got
		count got "${dev[@]:i:2}" "${dev[i + 2]}_bytes"
		bytes[i]=$got
	done
	run at "$1" timeout 60 iperf3 -c "$3" -n 16M --connect-timeout 5000 \
		-f m
	ended server "$server" 10
	is "$STATUS" 0 "status of the iperf3 server"
	for ((i = 0; i < ${#dev[@]}; i += 4)); do
		count got "${dev[@]:i:2}" "${dev[i + 2]}_packets"
		packets[i]=$((got - packets[i]))
		count got "${dev[@]:i:2}" "${dev[i + 2]}_bytes"
		bytes[i]=$((got - bytes[i]))
		((packets[i])) || fail "nothing went by ${dev[i + 1]}"
		mean=$((bytes[i] / packets[i]))
		note "${dev[i + 1]} ${dev[i + 2]}: ${packets[i]} packets" \
			"of $mean bytes"
		least=1000 most=1514
		[[ ${dev[i + 3]} == cut ]] || least=10000 most=70000
		((mean >= least && mean <= most)) ||
			fail "${dev[i + 1]}: expected $least to $most bytes"
		((bytes[i] > 12 * 1024 * 1024)) ||
			fail "${dev[i + 1]}: only ${bytes[i]} bytes"
	done
}

# talk FROM TO ADDRESS: a connection that stays; what is said on it comes back.
talk()
{
	mkfifo "$WORK/words"
	exec {WORDS}<>"$WORK/words"
	start answers at "$2" socat "TCP-LISTEN:7788,bind=$3,reuseaddr" PIPE
	start talk at "$1" socat "GOPEN:$WORK/words,rdonly!!STDOUT" \
		"TCP:$3:7788,retry=100,interval=0.1"
}

say()
{
	note "say $1"
	echo "$1" >&"$WORDS"
	eventually 30 "'$1' comes back" says talk "^$1\$"
}

# record NAME NS DEV BYTES [ARGUMENT...]: a tcpdump that writes $WORK/NAME.pcap,
# of each packet the first BYTES (0: all), once it is at work; recorded VAR NAME
# FILTER: how many there are.
record()
{
	start "$1" at "$2" tcpdump -Z root -Uni "$3" -s "$4" \
		-w "$WORK/$1.pcap" "${@:5}"
	eventually 10 "tcpdump listens" says "$1" "listening on"
}

recorded()
{
	local recorded_list

	capture recorded_list tcpdump -nr "$WORK/$2.pcap" --count "$3"
	recorded_list=${recorded_list##*$'\n'}
	printf -v "$1" '%s' "${recorded_list%% *}"
}

# ------------------------------------------------------------ bridge

#      v0 10.77.0.1/24 ==== p0 \
#      v1 10.77.0.2/24 ==== p1 -- br0 in S
#      v2 10.77.0.3/24 ==== p2 /
#
# A bridge that snoops is itself a member of a group, and says so now and then.
#
# star OPTIONS NS...: v0 in the first of them, v1 in the second ...
star()
{
	local ns n=0

	modules bridge
	config ip "$S" "link add br0 type bridge mcast_snooping 0 $1" "link set br0 up"
	for ns in "${@:2}"; do
		join "$ns" "v$n=10.77.0.$((n + 1))/24" "$S" p$n:br0
		n=$((n + 1))
	done
}

# learned MAC PORT: from what came by this port.
learned()
{
	bridge -n "$S" fdb show br br0 brport "$2" | grep -v permanent |
		grep -q "^$1 "
}

# port_is NS PORT STATE
port_is()
{
	local json

	json=$(bridge -n "$1" -j link show dev "$2")
	[[ $json == *"\"state\":\"$3\""* ]]
}

# A and B talk; C is where flooded packets go, and nobody asks for addresses.
test_bridge_learning()
{
	local mac0 mac1

	quiet_ns A B C S
	star "" "$A" "$B" "$C"
	knows "$A" v0 10.77.0.2 "$B" v1
	knows "$B" v1 10.77.0.1 "$A" v0
	link_field mac0 "$A" v0 address
	link_field mac1 "$B" v1 address
	! learned "$mac0" p0 || fail "$mac0 is known before it sent anything"
	counts "$C" v2 rx_packets 0 "before"
	pings "$A" 10.77.0.2 -c 1
	eventually 5 "the bridge knows v0" learned "$mac0" p0
	eventually 5 "the bridge knows v1" learned "$mac1" p1
	counts "$C" v2 rx_packets 1 "the request was flooded, the answer not"
	traffic "$A" "$B" 10.77.0.2
	counts "$C" v2 rx_packets 1 "nothing of the traffic was flooded"

	run ip -n "$S" link set br0 type bridge fdb_flush
	! learned "$mac1" p1 || fail "$mac1 is known after a flush"
	pings "$B" 10.77.0.1 -c 1
	eventually 5 "the bridge knows v1 again" learned "$mac1" p1
	counts "$C" v2 rx_packets 2 "one more was flooded"

	# B's address is at another port now.
	run ip -n "$B" link set v1 down
	run ip -n "$C" link set v2 address "$mac1"
	pings "$C" 10.77.0.1
	eventually 5 "v1's address is known at p2" learned "$mac1" p2
	! learned "$mac1" p1 || fail "$mac1 is still known at p1"
	accounts
}

#      v0, v1: VLAN 10, untagged     v2: VLAN 20, untagged
#      v3: both, tagged: v3.10, v3.20
test_bridge_vlan()
{
	quiet_ns A B C D S
	modules 8021q
	star "vlan_filtering 1 vlan_default_pvid 0" "$A" "$B" "$C" "$D"
	run ip -n "$D" addr flush dev v3
	config bridge "$S" "vlan add dev p0 vid 10 pvid untagged" \
		"vlan add dev p1 vid 10 pvid untagged" \
		"vlan add dev p2 vid 20 pvid untagged"
	bulk "$A" "$B" 10.77.0.2 "$B" v1 rx whole
	# A asks everybody in its VLAN where that is.
	deaf "$A" 10.77.0.3
	counts "$C" v2 rx_packets 0 "nothing from the other VLAN"
	counts "$D" v3 rx_packets 0 "nothing from VLANs that are not p3's"

	config bridge "$S" "vlan add dev p3 vid 10" "vlan add dev p3 vid 20"
	config ip "$D" "link add link v3 name v3.10 type vlan id 10" \
		"link add link v3 name v3.20 type vlan id 20" \
		"addr add 10.77.0.4/24 dev v3.10" \
		"addr add 10.77.20.4/24 dev v3.20" \
		"link set v3.10 up" "link set v3.20 up"
	run ip -n "$C" addr add 10.77.20.3/24 dev v2
	pings "$A" 10.77.0.4
	pings "$D" 10.77.20.3
	bulk "$A" "$D" 10.77.0.4 "$D" v3.10 rx whole
	counts "$A" v0 rx_dropped 0 "of VLAN 10"

	# C's port goes to the VLAN of A and B.
	config bridge "$S" "vlan del dev p2 vid 20" \
		"vlan add dev p2 vid 10 pvid untagged"
	pings "$A" 10.77.0.3
	deaf "$D" 10.77.20.3
	accounts
}

# A port's state, by both of the commands that can set it. (A bridge without STP
# takes "blocking" back at once; that comes next, with STP.)
test_bridge_state()
{
	local before mac

	quiet_ns A B S
	star "" "$A" "$B"
	knows "$A" v0 10.77.0.2 "$B" v1
	knows "$B" v1 10.77.0.1 "$A" v0
	link_field mac "$B" v1 address
	eventually 5 "p1 forwards" port_is "$S" p1 forwarding
	pings "$A" 10.77.0.2
	count before "$B" v1 rx_packets
	run bridge -n "$S" link set dev p1 state listening
	port_is "$S" p1 listening || fail "p1 is not listening"
	run ip -n "$S" link set br0 type bridge fdb_flush
	deaf "$A" 10.77.0.2
	deaf "$B" 10.77.0.1
	! learned "$mac" p1 || fail "p1 has learned while listening"
	run ip -n "$S" link set p1 type bridge_slave state 2
	port_is "$S" p1 learning || fail "p1 is not learning"
	deaf "$B" 10.77.0.1
	learned "$mac" p1 || fail "p1 has not learned"
	counts "$B" v1 rx_packets "$before" "no more since p1 does not forward"
	run ip -n "$S" link set p1 type bridge_slave state 3
	port_is "$S" p1 forwarding || fail "p1 is not forwarding"
	pings "$A" 10.77.0.2
	accounts
}

# The spanning tree protocol breaks a loop of pairs, and mends it:
#
#      A: v0 ==== p0 -- br0 in S -- l0 ==== m0 -- br0 in T -- q0 ==== v1 :B
#                            \----- l1 ==== m1 -----/
test_bridge_loop()
{
	local before port

	quiet_ns A B S T
	modules bridge
	config ip "$S" "link add br0 type bridge mcast_snooping 0 stp_state 1 \
		forward_delay 200 priority 4096" "link set br0 up"
	config ip "$T" "link add br0 type bridge mcast_snooping 0 stp_state 1 \
		forward_delay 200" "link set br0 up"
	join "$A" v0=10.77.0.1/24 "$S" p0:br0
	join "$B" v1=10.77.0.2/24 "$T" q0:br0
	join "$S" l0:br0 "$T" m0:br0
	join "$S" l1:br0 "$T" m1:br0
	for port in "$S p0" "$S l0" "$S l1" "$T q0" "$T m0"; do
		# shellcheck disable=SC2086	# two words
		eventually 30 "${port#* } forwards" port_is $port forwarding
	done
	eventually 30 "m1 blocks" port_is "$T" m1 blocking
	pings "$A" 10.77.0.2 -W 20
	# It may have said that it is new.
	count before "$T" m1 tx_packets
	bulk "$B" "$A" 10.77.0.1 "$T" m0 tx whole
	counts "$T" m1 tx_packets "$before" "it is blocked"

	run ip -n "$S" link set l0 down
	eventually 30 "m1 takes over" port_is "$T" m1 forwarding
	pings "$A" 10.77.0.2 -c 3 -W 20
	more_than $((before + 2)) "$T" m1 tx_packets || fail "not by m1"
	accounts
}

# filtered NAME: packets in this counter
filtered()
{
	local out

	capture out at "$S" nft list counter bridge vnic "$1"
	[[ $out =~ packets\ ([0-9]+) ]] || fail "no counter in: $out"
	FILTERED=${BASH_REMATCH[1]}
}

test_bridge_nft()
{
	type -P nft >/dev/null || skip "nft is not installed"
	quiet_ns A B S
	star "" "$A" "$B"
	pings "$A" 10.77.0.2
	cat >"$WORK/rules" <<-END
		table bridge vnic {
		counter dropped { }
		counter passed { }
		chain forward {
			type filter hook forward priority 0; policy drop;
			ip protocol icmp counter name dropped drop
			iifname p0 tcp dport 5201 counter name passed accept
			iifname p1 accept
			ether type arp accept
		}
		}
	END
	within 5 nsenter --net="/run/netns/$S" \
		nft -f "$WORK/rules" ||
		skip "this kernel has no nftables for bridges"
	run at "$S" nft list ruleset
	deaf "$A" 10.77.0.2 -c 3 -i 0.02
	filtered dropped
	is "$FILTERED" 3 "packets that the rule has dropped"
	# 16 MB in packets of at most 64 KB
	bulk "$A" "$B" 10.77.0.2 "$B" v1 rx whole
	filtered passed
	((FILTERED > 200)) || fail "the other rule let $FILTERED through"
	run at "$S" nft delete table bridge vnic
	pings "$A" 10.77.0.2
	accounts
}

# An in-tree veth at the other side of the bridge.
#
#      A: v0 ==== p0 -- br0 in S -- p1 ==== x0 :B
test_bridge_veth()
{
	need_in_tree veth
	quiet_ns A B S
	star "" "$A"
	config ip "$S" "link add p1 type veth peer name x0 netns $B" \
		"link set p1 master br0 up"
	join_end "$B" x0=10.77.0.2/24
	link_has "$S" p1 info_kind=veth
	eventually 5 "p1 forwards" port_is "$S" p1 forwarding
	traffic "$A" "$B" 10.77.0.2
	bulk "$A" "$B" 10.77.0.2 "$A" v0 tx whole "$B" x0 rx whole
	bulk "$B" "$A" 10.77.0.1 "$B" x0 tx whole "$A" v0 rx whole
	# Nobody else has sent anything: what left here came in there.
	eventually 5 "v0's packets are all at x0" passed_on "$A" v0 "$B" x0
	eventually 5 "x0's packets are all at v0" passed_on "$B" x0 "$A" v0

	# Either kind has to be cut for, when it is asked for that.
	run at "$S" ethtool -K p1 tx off
	bulk "$A" "$B" 10.77.0.2 "$A" v0 tx whole "$B" x0 rx cut
	run at "$S" ethtool -K p0 tx off
	bulk "$B" "$A" 10.77.0.1 "$B" x0 tx whole "$A" v0 rx cut
	accounts
}

# passed_on NS1 DEV1 NS2 DEV2 [COUNTER1 COUNTER2 [LESS]]: the first's packets,
# but for so many, are those of the second.
passed_on()
{
	local one two

	count one "$1" "$2" "${5:-tx_packets}"
	count two "$3" "$4" "${6:-rx_packets}"
	((one - ${7:-0} == two))
}

# ------------------------------------------------------------ bonding, team

# Two pairs between A and br0 in S, for what in A is made of v0 and v1:
#
#      A: v0 ==== p0 \
#         v1 ==== p1 -- br0 in S -- p2 ==== w0 10.77.0.2/24 :B
setup_two()
{
	modules bridge
	config ip "$S" "link add br0 type bridge mcast_snooping 0" \
		"link set br0 up"
	join "$A" v0 "$S" p0:br0
	join "$A" v1 "$S" p1:br0
	join "$B" w0=10.77.0.2/24 "$S" p2:br0
}

# gather NS MASTER DEV0 DEV1 ADDRESS: they have to be down to become part of it.
gather()
{
	local dev lines=()

	for dev in "$3" "$4"; do
		lines+=("link set $dev down" "link set $dev master $2"
			"link set $dev up")
	done
	config ip "$1" "${lines[@]}" "addr add $5 dev $2" "link set $2 up"
}

# only USED IDLE: what A sends goes by the first of the two alone.
only()
{
	local used idle

	count used "$A" "$1" tx_packets
	count idle "$A" "$2" tx_packets
	pings "$A" 10.77.0.2 -c 5
	more_than $((used + 4)) "$A" "$1" tx_packets || fail "not by $1"
	counts "$A" "$2" tx_packets "$idle" "$1 is the active one"
}

bond_active()
{
	local now

	link_field now "$A" bond0 active_slave
	[[ $now == "$1" ]]
}

# The peer of the active one goes down; a connection notices nothing.
test_bond_backup()
{
	# Its file in /sys/class/net would be taken for an interface.
	[[ -d /sys/module/bonding ]] || defer modprobe -rq bonding
	modules bonding max_bonds=0
	quiet_ns A B S
	setup_two
	run ip -n "$A" link add bond0 type bond mode active-backup miimon 20
	gather "$A" bond0 v0 v1 10.77.0.1/24
	eventually 10 "v0 is active" bond_active v0
	traffic "$A" "$B" 10.77.0.2
	talk "$A" "$B" 10.77.0.2
	say before
	only v0 v1
	run ip -n "$S" link set p0 down
	eventually 10 "v1 is active" bond_active v1
	say after
	only v1 v0
	bulk "$A" "$B" 10.77.0.2 "$A" v1 tx whole
	config ip "$S" "link set p0 up" "link set p1 down"
	eventually 10 "v0 is active again" bond_active v0
	say "and again"
	only v0 v1
	accounts
}

# fair: the packets of 100 pings went by v0 and v1 in turn.
fair()
{
	local before after n
	local -a sent

	for n in 0 1; do
		count before "$A" v$n tx_packets
		sent[n]=$before
	done
	run at "$A" ping -qc 100 -i 0.003 -w 30 10.77.0.2
	for n in 0 1; do
		count after "$A" v$n tx_packets
		sent[n]=$((after - sent[n]))
	done
	note "sent by v0 ${sent[0]}, by v1 ${sent[1]}"
	# besides, there may be questions about addresses
	((sent[0] + sent[1] >= 100 && sent[0] - sent[1] <= 4 &&
	  sent[1] - sent[0] <= 4)) || fail "not in turn"
}

#      A: bond0 -- v0, v1 ==== w0, w1 -- bond0 :B
test_bond_rr()
{
	local one

	[[ -d /sys/module/bonding ]] || defer modprobe -rq bonding
	modules bonding max_bonds=0
	quiet_ns A B
	join "$A" v0 "$B" w0
	join "$A" v1 "$B" w1
	for one in "$A" "$B"; do
		run ip -n "$one" link add bond0 type bond mode balance-rr \
			miimon 20
	done
	gather "$A" bond0 v0 v1 10.77.0.1/24
	gather "$B" bond0 w0 w1 10.77.0.2/24
	for one in v0 v1; do
		eventually 10 "$one has a carrier" carrier_is "$A" $one up
	done
	pings "$A" 10.77.0.2 -s 4000
	fair
	run ip -n "$B" link set w1 down
	bulk "$A" "$B" 10.77.0.2 "$A" v0 tx whole
	pings "$A" 10.77.0.2 -c 20
	accounts
}

# The kernel's team knows no mode until it is told one, by libteam's teamnl.
test_team_rr()
{
	local one

	type -P teamnl >/dev/null || skip "teamnl (libteam) is not installed"
	modules team
	quiet_ns A B
	join "$A" v0 "$B" w0
	join "$A" v1 "$B" w1
	for one in "$A" "$B"; do
		run ip -n "$one" link add team0 type team
		run at "$one" teamnl team0 setoption mode roundrobin
	done
	gather "$A" team0 v0 v1 10.77.0.1/24
	gather "$B" team0 w0 w1 10.77.0.2/24
	for one in v0 v1; do
		eventually 10 "$one has a carrier" carrier_is "$A" $one up
	done
	bulk "$A" "$B" 10.77.0.2
	fair
	accounts
}

team_active()
{
	local index

	link_field index "$A" "$1" ifindex
	[[ $(at "$A" teamnl team0 getoption activeport 2>&1) == \
		"$index" ]]
}

# Who is active is up to a daemon, which sees the carrier go.
test_team_backup()
{
	local daemon

	type -P teamd >/dev/null || skip "teamd (libteam) is not installed"
	type -P teamnl >/dev/null || skip "teamnl (libteam) is not installed"
	modules team
	quiet_ns A B S
	setup_two
	config ip "$A" "link set v0 down" "link set v1 down"
	cat >"$WORK/team" <<-END
		{ "device": "team0",
		  "runner": { "name": "activebackup" },
		  "link_watch": { "name": "ethtool" },
		  "ports": { "v0": { "prio": 100 }, "v1": { } } }
	END
	start teamd at "$A" teamd -f "$WORK/team" -p "$WORK/teamd.pid"
	daemon=$PID
	within 20 team_active v0 || fail "teamd: $(tail -n 5 "$WORK/teamd")"
	config ip "$A" "addr add 10.77.0.1/24 dev team0" "link set team0 up"
	pings "$A" 10.77.0.2 -W 20
	talk "$A" "$B" 10.77.0.2
	say before
	only v0 v1
	run ip -n "$S" link set p0 down
	eventually 20 "v1 is active" team_active v1
	say after
	only v1 v0
	bulk "$A" "$B" 10.77.0.2 "$A" v1 tx whole
	run ip -n "$S" link set p0 up
	eventually 20 "v0 is active again" team_active v0
	only v0 v1
	run kill "$daemon"
	ended teamd "$daemon" 20
	accounts
}

# ------------------------------------------------------------ macvlan, ipvlan

#      C: i0 10.77.0.3 \
#                       in A: v0 ==== w0 10.77.0.2/24 :B
#      D: i1 10.77.0.4 /
#
# children KIND MODE
children()
{
	local one ns dev address

	modules "$1"
	join "$A" v0 "$B" w0=10.77.0.2/24
	for one in "$C i0 3" "$D i1 4"; do
		read -r ns dev address <<<"$one"
		run ip -n "$A" link add "$dev" link v0 netns "$ns" \
			type "$1" mode "$2"
		join_end "$ns" "$dev=10.77.0.${address}/24"
		link_has "$ns" "$dev" info_kind="$1" mode="$2"
	done
}

# Between the two children nothing is sent by v0; what they send to B, and
# what they get from there, is.
around()
{
	local before after

	knows "$C" i0 10.77.0.4 "$D" i1
	knows "$D" i1 10.77.0.3 "$C" i0
	count before "$A" v0 tx_packets
	traffic "$C" "$D" 10.77.0.4
	counts "$A" v0 tx_packets "$before" "they are on the same device"
	pings "$B" 10.77.0.4 -s 4000
	bulk "$C" "$B" 10.77.0.2 "$A" v0 tx whole "$B" w0 rx whole
	bulk "$B" "$C" 10.77.0.3 "$A" v0 rx whole
}

# seen_as ADDRESS NS DEV: B knows the address by this device's MAC address.
seen_as()
{
	local mac

	link_field mac "$2" "$3" address
	ip -n "$B" neigh show dev w0 | grep -q "^$1 lladdr $mac "
}

test_macvlan()
{
	local mac0 mac1

	quiet_ns A B C D
	children macvlan bridge
	around
	link_field mac0 "$C" i0 address
	link_field mac1 "$A" v0 address
	[[ $mac0 != "$mac1" ]] || fail "i0 has no address of its own"
	seen_as 10.77.0.3 "$C" i0 || fail "B sees i0 as another one"
	seen_as 10.77.0.4 "$D" i1 || fail "B sees i1 as another one"
	# To an address that no child has v0 has nothing to give.
	run ip -n "$C" link set i0 address 02:00:00:00:00:2a
	run ip -n "$B" neigh flush all
	pings "$B" 10.77.0.3
	seen_as 10.77.0.3 "$C" i0 || fail "B does not see the new address"
	run ip -n "$B" neigh replace 10.77.0.3 lladdr "$mac0" dev w0 \
		nud permanent
	deaf "$B" 10.77.0.3
	run ip -n "$B" neigh del 10.77.0.3 dev w0
	# Private children do not see each other.
	run ip -n "$C" link set i0 type macvlan mode private
	knows "$D" i1 10.77.0.3 "$C" i0
	pings "$C" 10.77.0.2
	deaf "$D" 10.77.0.3
	accounts
}

test_ipvlan_l2()
{
	quiet_ns A B C D
	children ipvlan l2
	around
	seen_as 10.77.0.3 "$A" v0 || fail "B sees i0 as something else than v0"
	seen_as 10.77.0.4 "$A" v0 || fail "B sees i1 as something else than v0"
	accounts
}

# The children are hosts behind v0: A finds the way for them.
test_ipvlan_l3()
{
	quiet_ns A B C D
	children ipvlan l3
	run ip -n "$A" addr add 10.77.0.1/24 dev v0
	config ip "$C" "addr flush dev i0" "addr add 10.77.1.3/32 dev i0" \
		"route add default dev i0"
	config ip "$D" "addr flush dev i1" "addr add 10.77.1.4/32 dev i1" \
		"route add default dev i1"
	pings "$C" 10.77.1.4 -s 4000
	bulk "$C" "$D" 10.77.1.4 "$D" i1 rx whole
	counts "$A" v0 tx_packets 0 "they are on the same device"
	deaf "$C" 10.77.0.2
	run ip -n "$B" route add 10.77.1.0/24 via 10.77.0.1
	pings "$C" 10.77.0.2 -s 4000
	bulk "$C" "$B" 10.77.0.2 "$A" v0 tx whole "$B" w0 rx whole
	bulk "$B" "$D" 10.77.1.4 "$A" v0 rx whole "$D" i1 rx whole
	# B has asked for A's address, and for none of theirs.
	seen_as 10.77.0.1 "$A" v0 || fail "B does not see A"
	! ip -n "$B" neigh show | grep -q 10.77.1. ||
		fail "B sees the children themselves"
	accounts
}

# ------------------------------------------------------------ tunnels

#      A: t0 10.78.0.1/24                      t0 10.78.0.2/24 :B
#          |                                    |
#         v0 10.77.0.1/24 ======== w0 10.77.0.2/24
#
# The outer addresses.
OUTER=(10.77.0.1 10.77.0.2)

# tunnel MTU FILTER OPTION...: a tunnel of these options, in which BELOW stands
# for the pair's end, HERE and THERE for the outer addresses. On w0 there must be
# nothing but what tcpdump's FILTER tells.
tunnel()
{
	local dump all right text

	tunnel_end "$A" 10.78.0.1/24 v0 "${OUTER[@]}" "${@:3}"
	tunnel_end "$B" 10.78.0.2/24 w0 "${OUTER[1]}" "${OUTER[0]}" "${@:3}"
	link_has "$A" t0 mtu="$1"

	record dump "$B" w0 128
	dump=$PID
	pings "$A" 10.78.0.2 -M "do" -s $(($1 - 28))
	refused "essage too long" at "$A" \
		ping -c 1 -M "do" -s $(($1 - 27)) 10.78.0.2
	[[ $* != *vxlan*noudpcsum* ]] || traffic "$A" "$B" 10.78.0.2
	bulk "$A" "$B" 10.78.0.2 "$A" v0 tx whole "$B" t0 rx whole
	# It may be behind: 200 packets of 128 bytes each and their headers.
	eventually 20 "tcpdump has seen them" larger "$WORK/dump.pcap" 29000
	run kill -INT "$dump"
	ended dump "$dump" 20
	# but for the neighbours' own talk about addresses and groups
	recorded all dump "not arp and not icmp6 and not ip6 proto 0"
	recorded right dump "$2"
	((right > 200)) || fail "only $right packets are: $2"
	is "$right" "$all" "packets that are: $2"

	# Without the device's help all sums are in the packet.
	run at "$A" ethtool -K v0 tx off
	record dump "$B" w0 0 -c 50 "src ${OUTER[0]} and greater 1000"
	dump=$PID
	bulk "$A" "$B" 10.78.0.2 "$B" w0 rx cut
	ended dump "$dump" 20
	capture text tcpdump -vvnr "$WORK/dump.pcap"
	is "$(grep -c "cksum 0x.*(correct)" <<<"$text")" 50 \
		"packets with the right inner checksum"
	! grep -q "bad [a-z ]*cksum\|incorrect" <<<"$text" ||
		fail "wrong: $(grep -m 3 "bad [a-z ]*cksum\|incorrect" <<<"$text")"
	is "$(grep -c "udp sum ok" <<<"$text")" \
		"$([[ " $* " == *" udpcsum "* ]] && echo 50 || echo 0)" \
		"packets with an outer checksum"
	run at "$A" ethtool -K v0 tx on
	accounts
	run ip -n "$A" link del t0
	run ip -n "$B" link del t0
}

# larger FILE BYTES
larger()
{
	(($(stat -c %s "$1") > $2))
}

# tunnel_end NS ADDRESS BELOW HERE THERE OPTION...
tunnel_end()
{
	local options=" ${*:6}"

	options=${options/ BELOW/ $3}
	options=${options/ HERE/ $4}
	options=${options/ THERE/ $5}
	config ip "$1" "link add t0 type$options" "addr add $2 dev t0" \
		"link set t0 up"
	link_has "$1" t0 info_kind="$6"
}

test_vxlan()
{
	local vni="udp dst port 4789 and udp[12:4] == 0x2a00"

	modules vxlan
	quiet_ns A B
	setup_outer
	tunnel 1450 "$vni and udp[6:2] == 0" vxlan id 42 dstport 4789 \
		local HERE remote THERE dev BELOW noudpcsum
	tunnel 1450 "$vni and udp[6:2] != 0" vxlan id 42 dstport 4789 \
		local HERE remote THERE dev BELOW udpcsum
}

test_geneve()
{
	local vni="udp dst port 6081 and udp[12:4] == 0x2a00"

	modules geneve
	quiet_ns A B
	setup_outer
	tunnel 1450 "$vni and udp[6:2] == 0" geneve id 42 remote THERE noudpcsum
	tunnel 1450 "$vni and udp[6:2] != 0" geneve id 42 remote THERE udpcsum
}

# GRE's module makes devices of its own in each namespace, but when it is told
# not to; they would be in the way of later tests.
no_gre_of_its_own()
{
	local all=net.core.fb_tunnels_only_for_init_net

	[[ -d /sys/module/$1 ]] || defer modprobe -rq "$1"
	defer sysctl -qw "$all=$(sysctl -n "$all")"
	run sysctl -qw "$all=2"
	modules "$1"
}

test_gre()
{
	no_gre_of_its_own ip_gre
	quiet_ns A B
	setup_outer
	tunnel 1476 "proto gre and ip[20:4] == 0x0800" \
		gre local HERE remote THERE
	tunnel 1468 "proto gre and ip[20:4] == 0xa0000800 and ip[28:4] == 5" \
		gre local HERE remote THERE key 5 csum
}

test_gretap()
{
	no_gre_of_its_own ip_gre
	quiet_ns A B
	setup_outer
	tunnel 1462 "proto gre and ip[20:4] == 0x6558" \
		gretap local HERE remote THERE
}

test_ip6gre()
{
	no_gre_of_its_own ip6_gre
	setup_ns A B
	join "$A" v0 "$B" w0
	OUTER=(fd77::1 fd77::2)
	run ip -n "$A" addr add fd77::1/64 dev v0 nodad
	run ip -n "$B" addr add fd77::2/64 dev w0 nodad
	# What comes after them, the tunnel, has nothing to say by itself.
	run at "$A" sh -c "$QUIET"
	run at "$B" sh -c "$QUIET"
	tunnel 1456 "ip6 proto 47 and ip6[40:4] == 0x0800" \
		ip6gre local HERE remote THERE encaplimit none
}

# ------------------------------------------------------------ tc

#      A: v0 ======== p0 :S: p1 ======== w0 :B
#                      ^---------^
#                 tc or BPF crosses over
setup_cross()
{
	join "$A" v0=10.77.0.1/24 "$S" p0
	join "$S" p1 "$B" w0=10.77.0.2/24
	config tc "$S" "qdisc add dev p0 clsact" "qdisc add dev p1 clsact"
}

# crossed BEFORE: what p0 received, but for so many, p1 has sent, and the other way
# round.
crossed()
{
	passed_on "$S" p0 "$S" p1 rx_packets tx_packets "$1" &&
		passed_on "$S" p1 "$S" p0 rx_packets tx_packets
}

# Both ends are a wire for A and B, and C listens at it.
test_tc_mirred()
{
	local received before

	modules sch_ingress
	modules cls_matchall
	modules act_mirred
	quiet_ns A B C S
	setup_cross
	knows "$A" v0 10.77.0.2 "$B" w0
	knows "$B" w0 10.77.0.1 "$A" v0
	deaf "$A" 10.77.0.2
	config tc "$S" "filter add dev p0 ingress prio 1 matchall \
			action mirred egress redirect dev p1" \
		"filter add dev p1 ingress prio 1 matchall \
			action mirred egress redirect dev p0"
	# tc counts what a packet will be cut into: no TCP yet
	count before "$S" p0 rx_packets
	pings "$A" 10.77.0.2 -c 7 -s 4000
	count received "$S" p0 rx_packets
	hits "$S" p0 ingress
	is "$HITS" $((received - before)) "packets that the action has seen"
	counts "$S" p1 tx_packets "$HITS" "all of them"
	bulk "$A" "$B" 10.77.0.2 "$A" v0 tx whole "$B" w0 rx whole
	eventually 5 "what came by p0 and p1 left by the other" crossed "$before"

	join "$S" p2 "$C" x0
	config tc "$S" "filter del dev p1 ingress" \
		"filter add dev p1 ingress prio 1 matchall \
			action mirred egress mirror dev p2 pipe \
			action mirred egress redirect dev p0"
	count before "$S" p1 rx_packets
	pings "$A" 10.77.0.2 -c 7
	bulk "$B" "$A" 10.77.0.1 "$C" x0 rx whole
	eventually 5 "B's packets are all at x0" \
		passed_on "$S" p1 "$C" x0 rx_packets rx_packets "$before"
	accounts
}

test_tc_drop()
{
	local before told

	modules sch_ingress
	modules cls_flower
	modules act_gact
	quiet_ns A B
	setup_outer
	knows "$A" v0 10.77.0.2 "$B" w0
	run tc -n "$A" qdisc add dev v0 clsact
	run tc -n "$B" qdisc add dev w0 clsact
	pings "$A" 10.77.0.2

	# Before it is sent: it is not in v0's counters, and the sender is told.
	# (ping would try again.)
	run tc -n "$A" filter add dev v0 egress prio 1 protocol ip flower \
		dst_mac ff:ff:ff:ff:ff:ff action drop
	count before "$A" v0 tx_packets
	# shellcheck disable=SC2153	# need_helpers sets it
	capture told "$PACKETS" -n "$A" v0 100 60
	is "$told" "sent 0 refused 100" "what the sender is told"
	hits "$A" v0 egress
	is "$HITS" 100 "packets dropped at v0"
	counts "$A" v0 tx_packets "$before" "they did not come so far"
	bulk "$A" "$B" 10.77.0.2 "$B" w0 rx whole
	hits "$A" v0 egress
	is "$HITS" 100 "packets dropped at v0, TCP is none of them"
	run tc -n "$A" filter del dev v0 egress

	# When it was received: it is.
	run tc -n "$B" filter add dev w0 ingress prio 1 protocol ip flower \
		ip_proto icmp action drop
	count before "$B" w0 rx_packets
	deaf "$A" 10.77.0.2 -c 3 -i 0.02
	hits "$B" w0 ingress
	is "$HITS" 3 "packets dropped at w0"
	counts "$B" w0 rx_packets $((before + 3)) "they came so far"
	run tc -n "$B" filter del dev w0 ingress
	pings "$A" 10.77.0.2
	accounts
}

# ------------------------------------------------------------ BPF

# tc -n has a /sys of its own, so programs are not pinned in there.
setup_bpf()
{
	modules cls_bpf
	modules sch_ingress
	run mkdir -p "$WORK/bpf"
	run mount -t bpf none "$WORK/bpf"
	defer umount "$WORK/bpf"
}

# sends DEV WHAT DEV2: all that DEV in S receives goes to DEV2 in S (egress), is
# received by it (ingress), or by its peer (peer).
sends()
{
	local index

	link_field index "$S" "$3" ifindex
	rm -f "$WORK/bpf/$1"
	run "$REDIRECT" "$index" "$WORK/bpf/$1" "$2"
	run tc -n "$S" filter replace dev "$1" ingress prio 1 handle 1 \
		bpf da object-pinned "$WORK/bpf/$1"
}

test_bpf_redirect()
{
	setup_bpf
	quiet_ns A B S
	setup_cross
	sends p0 egress p1
	sends p1 egress p0
	pings "$A" 10.77.0.2 -s 4000
	bulk "$A" "$B" 10.77.0.2 "$A" v0 tx whole "$B" w0 rx whole
	eventually 5 "what came by p0 and p1 left by the other" crossed 0
	# A third device of S takes what p0 receives as its own: S answers.
	run ip -n "$S" link add d0 type "$VNDUMMY"
	run ip -n "$S" link set d0 up
	counts "$S" d0 rx_packets 0 "before"
	sends p0 ingress d0
	deaf "$A" 10.77.0.2
	accounts
}

# As a cluster's nodes do it: programs take packets from the wire to a pod, from
# one pod to another and out again, and past the node's ends of the pairs. The
# node S has no address, no route, no bridge:
#
#      A: v0 ==== x0 :S: h0 ==== v1 :B          a pod
#      (outside)         h1 ==== v2 :C          another one
#
#      x0 receives: to h0's peer     h0 receives: to x0
#      then, from pod to pod:        h0 receives: to h1's peer, and back
#
# A packet that goes to a peer was received by the peer, and sent by nobody.
test_bpf_pods()
{
	local in out

	setup_bpf
	quiet_ns A B C S
	join "$A" v0=10.77.0.1/24 "$S" x0
	join "$S" h0 "$B" v1=10.77.0.2/24
	join "$S" h1 "$C" v2=10.77.0.3/24
	config tc "$S" "qdisc add dev x0 clsact" "qdisc add dev h0 clsact" \
		"qdisc add dev h1 clsact"
	sends x0 peer h0
	sends h0 egress x0
	traffic "$A" "$B" 10.77.0.2
	bulk "$A" "$B" 10.77.0.2 "$A" v0 tx whole "$B" v1 rx whole
	bulk "$B" "$A" 10.77.0.1 "$B" v1 tx whole "$A" v0 rx whole
	counts "$S" h0 tx_packets 0 "the node's end has sent nothing"
	counts "$S" h0 tx_dropped 0 "and lost nothing"
	eventually 5 "what x0 received is at v1" passed_on "$S" x0 "$B" v1 \
		rx_packets rx_packets
	eventually 5 "what h0 received was sent by x0" passed_on "$S" h0 \
		"$S" x0 rx_packets tx_packets
	eventually 5 "and is what v1 has sent" passed_on "$B" v1 "$S" h0

	sends h0 peer h1
	sends h1 peer h0
	count in "$S" x0 rx_packets
	count out "$S" x0 tx_packets
	pings "$B" 10.77.0.3 -s 4000
	bulk "$C" "$B" 10.77.0.2 "$C" v2 tx whole "$B" v1 rx whole
	counts "$S" h0 tx_packets 0 "the node's end has sent nothing"
	counts "$S" h1 tx_packets 0 "the node's end has sent nothing"
	eventually 5 "what h0 received is at v2" passed_on "$S" h0 "$C" v2 \
		rx_packets rx_packets "$out"
	counts "$S" x0 rx_packets "$in" "nothing came from outside"
	counts "$S" x0 tx_packets "$out" "nothing went there"

	# Only v0 and x0 have each other's packets alone.
	PAIRS=("${PAIRS[0]}")
	accounts
}

# ------------------------------------------------------------ containers

# A user whom no driver knows, and a user namespace of his, in which he is root,
# with a network and mounts that it owns.
NOBODY=(setpriv --clear-groups --reuid 65534 --regid 65533)

# setup_box: $BOX is the name of its network outside.
setup_box()
{
	BOX=vnic-$$-box
	occupy "$BOX" box "${NOBODY[@]}" unshare -Urnm sh -c \
		'mount -t tmpfs none /run && exec "$@"' box
	BOX_PID=$PID
	within 20 says box ready ||
		skip "no user namespaces here: $(cat "$WORK/box")"
	run ip netns attach "$BOX" "$BOX_PID"
	defer ip netns del "$BOX"
	run inside ip link set lo up
}

# inside COMMAND...: as root of the box, which is that user outside.
inside()
{
	exec "${NOBODY[@]}" nsenter --preserve-credentials -U -n -m \
		-t "$BOX_PID" "$@"
}

# inner_ns VAR: a namespace that the box makes and names (n1), and the name that
# it has outside.
inner_ns()
{
	local name=${1,,}

	run inside ip netns add "$name"
	printf -v "$1" 'vnic-%s-%s' "$$" "$name"
	occupy "${!1}" "$name" at "box/$name"
	eventually 20 "$name is there" says "$name" ready
	run ip netns attach "${!1}" "$PID"
	defer ip netns del "${!1}"
}

# inner_pair NAME PEER [link-netns NS]: for ip in the box, words that need no
# plugin of its.
inner_pair()
{
	if [[ $VNVETH == vnveth ]]; then
		echo "link add $1 ${*:3} parentdev $2 type vnveth"
	else
		echo "link add $1 ${*:3} type $VNVETH peer name $2"
	fi
}

# Root gives the box one end of a pair; the rest is done in there.
test_box_given()
{
	local before after seen

	quiet_ns A
	setup_box
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 peer name v1
	config ip "$A" "addr add 10.77.0.1/24 dev v0" "link set v0 up" \
		"link set v1 netns $BOX_PID"
	gone "$A" v1 || fail "v1 is still there"
	config ip box "link set v1 address 02:00:00:00:00:2a" \
		"link set v1 name eth0" "addr add 10.77.0.2/24 dev eth0" \
		"link set eth0 up"
	PAIRS+=("$A v0 $BOX eth0")
	link_has "$BOX" eth0 address=02:00:00:00:00:2a info_kind="$VNVETH"
	eventually 5 "eth0 has a carrier" carrier_is "$A" v0 up
	traffic "$A" "$BOX" 10.77.0.2
	bulk box "$A" 10.77.0.1 "$BOX" eth0 tx whole "$A" v0 rx whole

	features before "$A" v0
	run inside ethtool -K eth0 tso off
	bulk box "$A" 10.77.0.1 "$BOX" eth0 tx cut
	run inside ethtool -K eth0 tso on
	bulk box "$A" 10.77.0.1 "$BOX" eth0 tx whole
	features after "$A" v0
	is "$after" "$before" "v0 was left alone"

	run inside ip link set eth0 mtu 9000
	run ip -n "$A" link set v0 mtu 9000
	link_has "$BOX" eth0 mtu=9000
	pings box 10.77.0.1 -M "do" -s 8972
	refused "essage too long" \
		at box ping -c 1 -M "do" -s 8973 10.77.0.1
	capture seen ip -n "$A" neigh show dev v0
	[[ $seen == *02:00:00:00:00:2a* ]] ||
		fail "A does not know the address"
	run inside ip link set eth0 down
	eventually 5 "v0 has no carrier" carrier_is "$A" v0 down
	run inside ip link set eth0 up
	eventually 5 "v0 has a carrier" carrier_is "$A" v0 up
	pings "$A" 10.77.0.2
	accounts

	# The box ends, and with it its network.
	run ip netns del "$BOX"
	run kill -KILL "$BOX_PID"
	eventually 20 "v0 went with the box" gone "$A" v0
}

# Everything in the box is made by the user who owns it:
#
#      n1: v1 ==== p1 -- br0 -- p2 ==== v2 :n2        d0: a vndummy
test_box_own()
{
	local n pairs

	modules bridge
	setup_box
	inner_ns N1
	inner_ns N2
	# v1 is made in its place, v2 is moved there.
	mapfile -t pairs < <(
		if [[ $VNVETH == vnveth ]]; then
			inner_pair p1 v1 link-netns n1
		else
			inner_pair p1 v1
			echo "link set v1 netns n1"
		fi
		inner_pair p2 v2
	)
	config ip box "link add br0 type bridge mcast_snooping 0" \
		"${pairs[@]}" "link set v2 netns n2" "link set br0 up" \
		"link set p1 master br0 up" "link set p2 master br0 up"
	for n in 1 2; do
		config ip "box/n$n" "addr add 10.77.0.$n/24 dev v$n" \
			"link set v$n up"
	done
	PAIRS=("$N1 v1 $BOX p1" "$N2 v2 $BOX p2")
	link_has "$N1" v1 info_kind="$VNVETH"
	eventually 5 "p2 forwards" port_is "$BOX" p2 forwarding
	pings box/n2 10.77.0.1 -s 4000
	bulk box/n1 box/n2 10.77.0.2 "$N1" v1 tx whole "$N2" v2 rx whole
	config ip box "link add d0 type $VNDUMMY" "addr add 10.79.0.1/24 dev d0" \
		"link set d0 up"
	deaf box 10.79.0.2 -c 5 -i 0.02
	counts "$BOX" d0 tx_packets 5 "the pings"
	run inside ip link del d0
	accounts
	# Both ends are deleted by the one.
	run inside ip link del p1
	gone "$N1" v1 || fail "p1 deleted, v1 still there"
	run inside ip -n n2 link del v2
	gone "$BOX" p2 || fail "v2 deleted, p2 still there"
}

# What would reach out of the box. C is a namespace that is not its, of which it
# has an open file; A is one that it is connected with.
test_box_refused()
{
	local file id before names eperm="Operation not permitted"

	quiet_ns A C
	setup_box
	inner_ns N1
	join "$A" v0 "$BOX" v1
	run chmod 711 "$WORK"
	run cp "$NEWLINK" "$WORK/newlink"
	exec {file}<"/run/netns/$C"
	interfaces before "$BOX"
	link_field id "$BOX" v1 link_netnsid

	# The same words do it in a namespace that it owns.
	run inside ip link set v1 netns n1
	run inside ip -n n1 link set v1 netns "$BOX_PID"
	# An end is not moved there, by file or by process,
	refused "$eperm" inside ip link set v1 netns "/proc/self/fd/$file"
	refused "$eperm" inside ip link set v1 netns 1
	# nor is a new one made there, or its peer.
	refused "$eperm" inside ip link add x0 netns "/proc/self/fd/$file" \
		type "$VNVETH"
	refused "$eperm" inside ip link add x0 link-netnsid "$id" \
		type "$VNVETH"
	if [[ $VNVETH == vnveth ]]; then
		# Linux before 6.19 lets veth do it.
		refused EPERM inside "$WORK/newlink" add "$VNVETH" name x0 \
			peer name x1 netns-fd "$file"
		refused EPERM inside "$WORK/newlink" add "$VNVETH" name x0 \
			peer name x1 netns-pid 1
	fi
	# Nor does that user make anything outside of his box.
	refused "$eperm" "${NOBODY[@]}" ip link add x0 type "$VNVETH"
	interfaces names "$BOX"
	is "$names" "$before" "what is in the box"
	gone "$A" "x0" || fail "x0 is in A"
	gone "$C" "x0" || fail "x0 is in C"
	gone "$C" "x1" || fail "x1 is in C"
	gone_here x0 || fail "x0 was made"
	gone_here x1 || fail "x1 was made"
	# What it has still works.
	config ip box "addr add 10.77.0.2/24 dev v1" "link set v1 up"
	run ip -n "$A" addr add 10.77.0.1/24 dev v0
	eventually 5 "v0 has a carrier" carrier_is "$A" v0 up
	pings box 10.77.0.1
	accounts
}

gone_here()
{
	! ip link show dev "$1" >/dev/null 2>&1
}

subtests \
	bridge_learning "a bridge learns where who is, and forgets" \
	bridge_vlan "a bridge with VLANs, untagged and tagged" \
	bridge_state "a port's state blocks and forwards" \
	bridge_loop "the spanning tree protocol breaks a loop of pairs" \
	bridge_nft "nftables drops and lets through between ports" \
	bridge_veth "a bridge with an in-tree veth at the other side" \
	bond_backup "bonding: the next one takes over" \
	bond_rr "bonding: both in turn" \
	team_backup "team: the next one takes over" \
	team_rr "team: both in turn" \
	macvlan "macvlan, among themselves and to the outside" \
	ipvlan_l2 "ipvlan, the same by frames" \
	ipvlan_l3 "ipvlan, the same by routes" \
	vxlan "VXLAN, whole packets and cut, both kinds of checksum" \
	geneve "Geneve, the same" \
	gre "GRE, bare and with key and checksum" \
	gretap "GRE with Ethernet frames" \
	ip6gre "GRE over IPv6" \
	tc_mirred "tc redirects and mirrors from pair to pair" \
	tc_drop "tc drops, before it is sent and when it was received" \
	bpf_redirect "BPF redirects from pair to pair" \
	bpf_pods "BPF redirects past the ends of pairs, as for pods" \
	box_given "an unprivileged container, given an end" \
	box_own "an unprivileged container makes a network of its own" \
	box_refused "and may not reach out of it"
