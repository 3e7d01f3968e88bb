#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What many idle interfaces cost, ours beside the in-tree kind in one boot:
# memory, which is asserted, and the time to make and to delete them, which is
# printed only.
#
#     namespace A, without IPv6
#     a00001 ==== b00001          of the one kind,
#     ...                         then as many of the other, in turns
#     a00100 ==== b00100
#
# No packet is sent here, and no interface has an address. The options are
# those of `ip link add NAME type KIND`: each kind has its own number of queues.

. "$(dirname "$0")/lib.sh"
need_kind "$VNVETH" "$VNDUMMY" veth dummy
need_tools getconf
find_built IP_LIB_DIR iproute2 "make tools"
export IP_LIB_DIR

PAGE=$(($(getconf PAGESIZE) / 1024))
CPUS=$(getconf _NPROCESSORS_ONLN)
SERIAL=0

# Not every kernel has the kinds to compare with.
comparable()
{
	ip -n "$A" link add probe type "$1" 2>/dev/null ||
		skip "this kernel has no $1 to compare with"
	run ip -n "$A" link del probe
}

# Both kinds get names of one length, since sysfs keeps copies of them.
# batches KIND N: the commands that make N of a kind, that bring them up, and
# that delete them one by one.
batches()
{
	local i name

	: >"$WORK/add"; : >"$WORK/up"; : >"$WORK/del"
	for ((i = 0; i < $2; i++)); do
		printf -v name %05d $((++SERIAL))
		case $1 in
		*veth)
			echo "link add a$name group 7 type $1" \
				"peer name b$name" >&4
			echo "link set b$name up" >&5 ;;
		*)
			echo "link add a$name group 7 type $1" >&4 ;;
		esac
		echo "link set a$name up" >&5
		echo "link del a$name" >&6
	done 4>>"$WORK/add" 5>>"$WORK/up" 6>>"$WORK/del"
	LAST=a$name
}

# median VAR NUMBER...
median()
{
	local -a sorted

	mapfile -t sorted < <(printf '%s\n' "${@:2}" | sort -n)
	printf -v "$1" %d "${sorted[${#sorted[@]} / 2]}"
}

# least VAR NUMBER...: of times, what nothing else has disturbed
least()
{
	local number

	printf -v "$1" %d "$2"
	for number in "${@:3}"; do
		((number >= ${!1})) || printf -v "$1" %d "$number"
	done
}

# ------------------------------------------------------------ memory

# In KiB, into NOW. "all" is whatever the kernel has taken for itself, by any
# allocator: not free, not in a CPU's list of free pages, and neither programs'
# nor caches', which come and go. The others are parts of it. A control group's
# account would not do: it has only what the driver asked to be accounted.
#
# No process is started here, whose memory would be seen.
figures()
{
	local line key value all
	local -a lines
	local -A kib

	mapfile -t lines </proc/meminfo
	for line in "${lines[@]}"; do
		read -r key value _ <<<"$line"
		kib[${key%:}]=$value
	done
	all=${kib[MemTotal]}
	for key in MemFree Active Inactive Unevictable SReclaimable PageTables; do
		all=$((all - kib[$key]))
	done
	mapfile -t lines </proc/zoneinfo
	for line in "${lines[@]}"; do
		[[ $line != *' count: '* ]] ||
			all=$((all - ${line##* } * PAGE))
	done
	NOW=([all]=$all [slab]=${kib[SUnreclaim]} [percpu]=${kib[Percpu]}
	     [vmalloc]=${kib[VmallocUsed]})
}

# CPUs keep pages, and small changes of counters, to themselves.
drain()
{
	if [[ -w /proc/sys/vm/compact_memory ]]; then
		echo 1 >/proc/sys/vm/compact_memory
	else
		echo 1 >/proc/sys/vm/drop_caches
	fi
	echo 1 >/proc/sys/vm/stat_refresh
}

# The same as a moment ago, but for a few pages
steady()
{
	local before=${NOW[all]}

	drain
	figures
	((NOW[all] - before <= 4 * PAGE && before - NOW[all] <= 4 * PAGE))
}

settle()
{
	NOW[all]=0
	within 5 steady || note "memory is not at rest"
}

# grown WHO STATE: bytes per interface or pair since BEFORE, to the lists
grown()
{
	local what

	settle
	for what in all slab percpu vmalloc; do
		LIST[$1 $2 $what]+=" $(((NOW[$what] - BEFORE[$what]) * 1024 / MANY))"
	done
}

# grow WHO KIND: one batch more. Nothing is deleted before everything is
# measured: what was once allocated may stay with the allocator, and the next
# one would seem to need less.
grow()
{
	local what

	batches "$2" "$MANY"
	settle
	for what in "${!NOW[@]}"; do
		BEFORE[$what]=${NOW[$what]}
	done
	ip -n "$A" -batch "$WORK/add" || fail "cannot make $MANY $2"
	grown "$1" down
	ip -n "$A" -batch "$WORK/up" || fail "cannot bring $MANY $2 up"
	eventually 10 "$LAST has a carrier" carrier_is "$A" "$LAST" up
	grown "$1" up
}

# compare_memory IN-TREE OURS
compare_memory()
{
	local round state what theirs ours spread
	local -A NOW=([all]=0) BEFORE LIST
	local -a values
	local MANY=100 ROUNDS=5 bad=''

	# each CPU has a stock of its own, which blurs the picture
	((CPUS < 4)) || MANY=$((CPUS < 16 ? CPUS * 50 : 800))

	setup_ns A
	silence "$A"
	comparable "$1"
	# what others gave back is in stock, and goes to the first
	grow first "$1"
	for ((round = 0; round < ROUNDS; round++)); do
		# twice, to know how much two measures of one thing differ
		grow in-tree "$1"
		grow ours "$2"
		grow in-tree "$1"
	done
	note "bytes for each idle one, median of $ROUNDS batches of $MANY:"
	note "$(printf '%-16s %9s %9s' '' "$1" "$2")"
	for state in down up; do
		for what in all slab percpu vmalloc; do
			# shellcheck disable=SC2086	# many numbers
			median theirs ${LIST[in-tree $state $what]}
			# shellcheck disable=SC2086
			median ours ${LIST[ours $state $what]}
			note "$(printf '%-16s %9s %9s' "$state, $what" \
				"$theirs" "$ours")"
		done
	done
	for state in down up; do
		note "$state, each batch: $1:${LIST[in-tree $state all]}," \
			"$2:${LIST[ours $state all]}"
		# shellcheck disable=SC2086
		median theirs ${LIST[in-tree $state all]}
		# shellcheck disable=SC2086
		median ours ${LIST[ours $state all]}
		# The middle half of in-tree's own, and never less than what
		# allocators keep in stock. The rest may have met one that took
		# in stock for a thousand.
		# shellcheck disable=SC2086
		mapfile -t values < <(printf '%s\n' ${LIST[in-tree $state all]} |
			sort -n)
		spread=$((2 * (values[${#values[@]} * 3 / 4] -
			       values[${#values[@]} / 4])))
		((spread >= 16 * PAGE * 1024 / MANY)) ||
			spread=$((16 * PAGE * 1024 / MANY))
		note "$state: $2 needs $ours, $1 $theirs give or take $spread"
		((spread * 20 < theirs)) ||
			skip "memory is not steady enough to compare"
		((ours > theirs / 2)) ||
			note "less than half: is all of it counted?"
		((ours <= theirs + spread)) || bad+=" $state"
	done
	run ip -n "$A" link del group 7
	[[ ! $bad ]] || fail "$2 needs more memory than $1:$bad"
}

test_memory_pair()
{
	compare_memory veth "$VNVETH"
}

test_memory_dummy()
{
	compare_memory dummy "$VNDUMMY"
}

# ------------------------------------------------------------ time

# took WHO WHAT N COMMAND...: microseconds for each of N, to the lists
took()
{
	local start=${EPOCHREALTIME/./}

	"${@:4}" >&3 || fail "'${*:4}' failed"
	LIST[$1 $2]+=" $(((${EPOCHREALTIME/./} - start) / $3))"
}

# The last thing that a namespace takes with it, as its other end tells.
netns_exit()
{
	ip netns del "$C"
	eventually 120 "the namespace is gone" gone "$A" canary
}

# time_all WHO KIND
time_all()
{
	local C=$A-exit

	batches "$2" "$MANY"
	head -n "$FEW" "$WORK/del" >"$WORK/few"
	took "$1" create "$MANY" ip -n "$A" -batch "$WORK/add"
	took "$1" one-by-one "$FEW" ip -n "$A" -batch "$WORK/few"
	took "$1" group $((MANY - FEW)) ip -n "$A" link del group 7

	ip netns add "$C" && defer ip netns del "$C"
	ip netns exec "$C" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	ip -n "$A" link add canary type veth peer name other netns "$C" ||
		fail "no canary"
	took "$1" create-up "$MANY" make_up "$C"
	took "$1" netns "$MANY" netns_exit
}

make_up()
{
	ip -n "$1" -batch "$WORK/add" && ip -n "$1" -batch "$WORK/up"
}

# compare_time IN-TREE OURS
compare_time()
{
	local -A LIST
	local MANY=1000 FEW=30 ROUNDS=2 round what text theirs ours

	setup_ns A
	silence "$A"
	comparable "$1"
	for ((round = 0; round < ROUNDS; round++)); do
		time_all in-tree "$1"
		time_all ours "$2"
	done
	note "microseconds for each of $MANY, the better of $ROUNDS rounds:"
	note "$(printf '%-32s %9s %9s' '' "$1" "$2")"
	while read -r what text; do
		# shellcheck disable=SC2086	# many numbers
		least theirs ${LIST[in-tree $what]}
		# shellcheck disable=SC2086
		least ours ${LIST[ours $what]}
		note "$(printf '%-32s %9s %9s' "$text" "$theirs" "$ours")"
	done <<-END
		create made
		create-up made and brought up
		one-by-one deleted one by one ($FEW)
		group deleted as a group
		netns deleted with their namespace
	END
}

test_time_pair()
{
	compare_time veth "$VNVETH"
}

test_time_dummy()
{
	compare_time dummy "$VNDUMMY"
}

subtests \
	memory_pair "an idle pair needs no more memory than veth's" \
	memory_dummy "an idle vndummy needs no more memory than dummy" \
	time_pair "time to make and delete pairs" \
	time_dummy "time to make and delete interfaces"
