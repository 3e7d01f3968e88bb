#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Each refusal over netlink says what was wrong, and at which attribute.
#
#     namespace A
#   newlink (no traffic)
#      "taken" (vndummy), tap0, pair0 ==== pair1 and other pairs
#
# Nothing may be left of a refused request.

. "$(dirname "$0")/lib.sh"
need_kind vndummy
need_helpers newlink

NAMES=()
SENTENCES=""

# refusal NAME "ERRNO ATTRIBUTE: SENTENCE" NEWLINK-ARGUMENTS...
# defines a subtest.
refusal()
{
	NAMES+=("$1" "$2")
	SENTENCES+=${2#*: }$'\n'
	eval "test_$1() { provoke $(printf '%q ' "${@:2}"); }"
}

# The names of A's interfaces, by way of the process that sleeps there.
list()
{
	local line

	LIST=
	while IFS=: read -r line _; do
		LIST+="$line "
	done < "/proc/$SLEEPER/net/dev"
}

provoke()
{
	local out before

	list
	before=$LIST
	note "+ newlink -n $A ${*:2}"
	out=$("$NEWLINK" -n "$A" "${@:2}")
	is "$out" "$1" "answer"
	list
	is "$LIST" "$before" "interfaces after the refusal"
}

for kind in vndummy vnveth vntap; do
	refusal "address_multicast_$kind" \
		"EADDRNOTAVAIL address: The MAC address must be unicast and not zero" \
		add $kind name x0 address 01:00:00:00:00:01
	refusal "address_zero_$kind" \
		"EADDRNOTAVAIL address: The MAC address must be unicast and not zero" \
		add $kind name x0 address 00:00:00:00:00:00
	refusal "address_short_$kind" \
		"EINVAL address: A MAC address has 6 bytes" \
		add $kind name x0 address 02:00:00:00
done
for kind in vndummy vnveth vntun vntap; do
	refusal "name_invalid_$kind" \
		"EINVAL -: That is not a valid interface name" \
		add $kind name a/b
	refusal "name_pattern_$kind" \
		"EINVAL -: That is not a valid interface name" \
		add $kind name x%s
	refusal "unknown_attribute_$kind" \
		"EINVAL info: This kind has no such attribute" \
		add $kind name x0 info 40 00
done
for kind in vnveth vntun vntap; do
	refusal "mtu_small_$kind" \
		"EINVAL mtu: The MTU is out of this kind's range" \
		add $kind name x0 mtu 67
	refusal "mtu_large_$kind" \
		"EINVAL mtu: The MTU is out of this kind's range" \
		add $kind name x0 mtu 65536
done

refusal address_vntun \
	"EOPNOTSUPP address: vntun has no MAC address; vntap has" \
	add vntun name x0 address 02:00:00:00:00:01
for kind in vntun vntap; do
	refusal "queues_257_$kind" \
		"EINVAL txqueues: A device has at most 256 queues" \
		add $kind name x0 txqueues 257
	refusal "rxqueues_$kind" \
		"EINVAL rxqueues: No more receive queues than numtxqueues" \
		add $kind name x0 rxqueues 2
	refusal "multi_queue_of_one_$kind" \
		"EINVAL info: A multi-queue device needs numtxqueues, 2 to 256" \
		add $kind name x0 info 7 01
	refusal "single_queue_of_two_$kind" \
		"EINVAL info: With numtxqueues above 1 the device is a multi-queue one" \
		add $kind name x0 txqueues 2 info 7 00
	for attribute in 3 8 9; do
		refusal "read_only_${attribute}_$kind" \
			"EINVAL info: This attribute is read only" \
			add $kind name x0 info $attribute 00000000
	done
	for attribute in 4 5 6 7 32; do
		refusal "value_${attribute}_$kind" \
			"ERANGE info: integer out of range" \
			add $kind name x0 info $attribute 02
	done
done
refusal multi_queue_changed \
	"EINVAL info: The number of queues is fixed once the device is made" \
	set tap0 kind vntap info 7 01

refusal peer_address \
	"EADDRNOTAVAIL peer.address: The MAC address must be unicast and not zero" \
	add vnveth name x0 peer name x1 address 01:00:00:00:00:01
refusal peer_address_short \
	"EINVAL peer.address: A MAC address has 6 bytes" \
	add vnveth name x0 peer name x1 address 02:00
refusal peer_mtu \
	"EINVAL peer.mtu: The MTU is out of this kind's range" \
	add vnveth name x0 peer name x1 mtu 67
refusal peer_name_invalid \
	"EINVAL peer.name: The peer's name is not a valid interface name" \
	add vnveth name x0 peer name a/b
refusal peer_name_parentdev \
	"EINVAL parentdev: The peer's name is not a valid interface name" \
	add vnveth name x0 parentdev a/b
refusal peer_name_taken \
	"EEXIST -: An interface of that name exists in the namespace" \
	add vnveth name x0 peer name taken
refusal peer_name_is_own \
	"EEXIST -: An interface of that name exists in the namespace" \
	add vnveth name x0 peer name x0
refusal peer_index_taken \
	"EBUSY -: That interface index is taken in the namespace" \
	add vnveth name x0 peer name x1 index 1
refusal peer_index_negative \
	"EINVAL peer: ifindex can't be negative" \
	add vnveth name x0 peer name x1 index 0xfffffff0
refusal peer_changed \
	"EOPNOTSUPP peer: The peer is chosen when the pair is made" \
	set pair0 kind vnveth peer name x1
refusal mode_changed \
	"EOPNOTSUPP info: The mode is chosen when the pair is made" \
	set pair0 kind vnveth info 32 01
refusal l3_address \
	"EOPNOTSUPP address: An L3 pair has no MAC addresses" \
	add vnveth name x0 address 02:00:00:00:00:01 info 32 01
refusal l3_peer_address \
	"EOPNOTSUPP peer.address: An L3 pair has no MAC addresses" \
	add vnveth name x0 info 32 01 peer name x1 address 02:00:00:00:00:01
for attribute in 32 33 34 35; do
	refusal "value_${attribute}_vnveth" \
		"ERANGE info: integer out of range" \
		add vnveth name x0 info $attribute 02
done
refusal value_32_vndummy "ERANGE info: integer out of range" \
	add vndummy name x0 info 32 02
refusal l3_xdp \
	"EOPNOTSUPP -: An L3 pair has no Ethernet headers to show to XDP" \
	set three0 xdp drv
refusal xdp_mtu \
	"ERANGE -: The peer's MTU is too large for this XDP program" \
	set long0 xdp drv
refusal xdp_queues \
	"ENOSPC -: XDP wants a receive queue per transmit queue of the peer" \
	set many0 xdp drv
refusal peer_cut_short \
	"ERANGE info: binary attribute size out of range" \
	add vnveth name x0 info 1 00

# In a user namespace of its own, where only 0 is somebody.
test_unknown_user()
{
	refused "EINVAL info: $UNKNOWN_USER" unshare -Urn "$NEWLINK" \
		add vntap name x0 info 1 01000000
}

test_unknown_group()
{
	refused "EINVAL info: $UNKNOWN_GROUP" unshare -Urn "$NEWLINK" \
		add vntap name x0 info 2 01000000
}

test_ring_of_none()
{
	type -P ethtool >/dev/null || skip "ethtool is not installed"
	refused "$RING_OF_NONE" ip netns exec "$A" ethtool -G tap0 tx 0
}

test_coalesce_usecs()
{
	refused "$COALESCE_USECS" ip netns exec "$A" \
		ethtool -C pair0 rx-usecs 1000001
}

test_backpressure_shared()
{
	local program

	start shared ip netns exec "$A" "$HERE/rings.py" tap tap0
	program=$PID
	eventually 10 "it has its ring" says shared ready
	refused "EBUSY info: $BACKPRESSURE_SHARED" "$NEWLINK" -n "$A" \
		set tap0 kind vntap info 32 01
	kill "$program"
	ended shared "$program" 10
	run "$NEWLINK" -n "$A" set tap0 kind vntap info 32 01
}

# The peer is where the requester may change nothing: in the namespace that it
# came from.
test_scrub_elsewhere()
{
	local inner

	start inner unshare -Urn sleep 1000
	inner=$PID
	eventually 5 "it has a namespace of its own" \
		differ "/proc/$inner/ns/net" "/proc/$$/ns/net"
	run ip -n "$A" link set pair1 netns "$inner"
	refused "EPERM info: $SCRUB_ELSEWHERE" nsenter -t "$inner" -U -n \
		--preserve-credentials "$NEWLINK" set pair1 kind vnveth info 33 00
	run nsenter -t "$inner" -U -n --preserve-credentials \
		"$NEWLINK" set pair1 kind vnveth info 33 01
}

differ()
{
	! [[ $1 -ef $2 ]]
}

BACKPRESSURE_SHARED="A program takes its packets from shared memory, where nobody sees room come"
COALESCE_USECS="A packet waits 1000000 us at the most"
SCRUB_ELSEWHERE="Not without CAP_NET_ADMIN in the peer's namespace"
UNKNOWN_USER="That user is not in this user namespace"
UNKNOWN_GROUP="That group is not in this user namespace"
RING_OF_NONE="A ring holds at least one packet"
NAMES+=(unknown_user "$UNKNOWN_USER" unknown_group "$UNKNOWN_GROUP"
	ring_of_none "$RING_OF_NONE" coalesce_usecs "$COALESCE_USECS"
	scrub_elsewhere "$SCRUB_ELSEWHERE"
	backpressure_shared "$BACKPRESSURE_SHARED")
SENTENCES+="$COALESCE_USECS"$'\n'"$SCRUB_ELSEWHERE"$'\n'
SENTENCES+="$BACKPRESSURE_SHARED"$'\n'
SENTENCES+="$UNKNOWN_USER"$'\n'"$UNKNOWN_GROUP"$'\n'"$RING_OF_NONE"$'\n'
# Only where memory is short, or two requests meet.
SENTENCES+="No memory for receive queues"$'\n'
SENTENCES+="The other end is being deleted"$'\n'
# Needs a policy of SELinux, which this machine would have to run under.
SENTENCES+="The security policy forbids such devices"$'\n'

# Every sentence in the drivers is in the list above, or another file's test is
# refused with it.
test_all()
{
	local dir sentence missing=0 n=0

	for dir in "$HERE/../drivers" "$HERE/../../../drivers" ""; do
		[[ -r $dir/main.c ]] && break
	done
	[[ -n $dir ]] || skip "the drivers' source is not at hand"
	# one line each, also where the call goes over several
	while read -r sentence; do
		((n++))
		[[ $'\n'$SENTENCES == *$'\n'"$sentence"$'\n'* ]] && continue
		grep -qF "refused \"$sentence\"" "$HERE"/*.sh && continue
		note "not tested: $sentence"
		((missing++))
	done < <(cat "$dir"/*.c | tr '\n' ' ' |
		 grep -oE 'NL_SET_ERR_MSG[A-Z_]*\([^";]*"[^"]*"' |
		 sed 's/[^"]*"//; s/"$//' | sort -u)
	note "$n sentences in $dir"
	((n > 0)) || fail "no sentence found: the search is broken"
	((missing == 0)) ||
		fail "$missing of $n sentences are not tested;" \
		     "add a 'refusal' above for each"
}

setup_ns A
start sleeper ip netns exec "$A" sleep 1000
SLEEPER=$PID
eventually 5 "a process is in A" \
	test "/proc/$SLEEPER/ns/net" -ef "/run/netns/$A"
run "$NEWLINK" -n "$A" add vndummy name taken
run "$NEWLINK" -n "$A" add vntap name tap0
run "$NEWLINK" -n "$A" add vnveth name pair0 peer name pair1
run "$NEWLINK" -n "$A" add vnveth name three0 info 32 01 peer name three1
run "$NEWLINK" -n "$A" add vnveth name long0 peer name long1 mtu 9000
run "$NEWLINK" -n "$A" add vnveth name many0 rxqueues 1 \
	peer name many1 txqueues 2

subtests "${NAMES[@]}" all "every sentence in the drivers is tested"
