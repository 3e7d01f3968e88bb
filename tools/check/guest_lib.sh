# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154	# file and name, see below
#
# What is looked for when a test has ended: processes, interfaces, namespaces
# and packet buffers that are left, a module that does not unload, a kernel that
# has complained. Sourced by what runs tests in the guest, which
#
#	calls begin_guest once, then for each test
#	sets $file, $name and problems=0, calls remember, runs the test with
#	VNIC_CHECK_FILE=$file, and calls the check_* that it wants
#
# Each finding goes to problem.

cpus=$(nproc)

# Caches whose objects must be freed again, and how many may stay: each CPU keeps
# up to 64 heads for NAPI; clones may share their slabs with others of that size.
declare -A slack=(
	[net_namespace]=0
	[skbuff_head_cache]=$((64 * cpus))
	[skbuff_fclone_cache]=$((64 * cpus))
)

# The out-of-tree (O) and the unsigned module (E).
taint_own=$((4096 | 8192))

# Not at any level, and nothing at level error or above.
forbidden='^<[0-3]>|BUG|WARNING:|INFO: |Call Trace|Oops|Modules linked in'
forbidden+='|general protection|refcount_t|unregister_netdevice: waiting'
forbidden+='|UBSAN|KASAN|KCSAN|KFENCE|ODEBUG|kmemleak|lockdep|locking depend'
forbidden+='|suspicious RCU|\bstall|soft lockup|blocked for more than'
forbidden+='|segfault|traps: |Out of memory'

# But these: the core says so of a bad MTU, and of a queue for which there is no
# memory, by ioctl, which a test has to try.
allowed=': (mtu (less|greater) than device (minimum|maximum)'
allowed+='|refused to change device tx_queue_len)$'

# What the core says where there was no memory, which is all that failnth is
# about; and where it shows how much there is, what is between these two.
no_memory='kobject: .* failed for .* \(error: -12 '
no_memory+='|kobject: can not set name properly|debugfs: out of free dentries'
no_memory+='|sysctl could not get directory: .* -12$|execmem: unable to allocate'
no_memory+='|ref_tracker: memory allocation failure'
no_memory+='|kmemleak: Cannot allocate a scan area|set_features\(\) failed \(-12\)'
no_memory_begin='vmalloc error: |page allocation failure: '
no_memory_end=' pages reserved$'

problem()
{
	problems=$((problems + 1))
	printf '%s\n' "$*" | sed 's/^/# | /'
}

# until_true SECONDS COMMAND...: poll; status 1 when the time is over.
until_true()
{
	local end=$((SECONDS + $1 * ${VNIC_PATIENCE:-1}))
	shift

	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

# Whatever a test starts carries its name in the environment.
processes()
{
	grep -lz "^VNIC_CHECK_FILE=$file\$" /proc/[0-9]*/environ 2>/dev/null |
		cut -d / -f 3
}

# show_processes WHAT
show_processes()
{
	local pid command

	for pid in $(processes); do
		mapfile -d '' -t command <"/proc/$pid/cmdline" || continue
		# Only the runner, and its timeouts.
		[[ ${command[*]} == *"/kselftest/"* ||
			${command[0]} == */timeout ]] ||
			problem "$1: ${command[*]} ($pid)"
	done 2>/dev/null
}

no_processes()
{
	[[ -z $(processes) ]]
}

kill_processes()
{
	local pids

	mapfile -t pids < <(processes)
	((${#pids[@]} == 0)) || kill -KILL "${pids[@]}" 2>/dev/null
	no_processes
}

# What else is there is no interface: bonding has a file in that folder.
interfaces()
{
	find /sys/class/net -type l -printf '%f\n' | sort
}

namespaces()
{
	ip netns list | cut -d ' ' -f 1 | sort
}

# lines_added BEFORE NOW
lines_added()
{
	comm -13 <(sort <<<"$1") <(sort <<<"$2")
}

no_new_interfaces()
{
	[[ -z $(lines_added "$interfaces_before" "$(interfaces)") ]]
}

# Exact, not what /proc/slabinfo guesses: shrinking empties the CPUs' slabs.
objects()
{
	local count rest

	echo 1 >"/sys/kernel/slab/$1/shrink"
	read -r count rest <"/sys/kernel/slab/$1/objects"
	echo "$count"
}

# A receiver leaves heads for the CPU that has allocated them, which frees them
# when it receives next: let each receive something.
receive_everywhere()
{
	local cpu

	for ((cpu = 0; cpu < cpus; cpu++)); do
		unshare --net taskset -c "$cpu" sh -c \
			'ip link set lo up && ping -qc 1 127.0.0.1' >/dev/null
	done
}

objects_freed()
{
	objects_now=$(objects "$1")
	((objects_now <= objects_before[$1] + slack[$1])) && return
	# The kernel keeps a namespace's last bytes until the next one goes.
	if [[ $1 == net_namespace ]]; then
		unshare --net true
	else
		receive_everywhere
	fi
	sleep 1
	return 1
}

# The least in a while: what was freed before may still be on its way.
count_objects()
{
	local cache try now

	unshare --net true
	for try in {1..8}; do
		((try == 1)) || sleep 0.2
		for cache in "${!slack[@]}"; do
			now=$(objects "$cache")
			((now > ${objects_before[$cache]:-$now})) ||
				objects_before[$cache]=$now
		done
	done
}

unused()
{
	local count

	read -r count <"/sys/module/vnic/refcnt" && ((count == 0))
}

unloaded()
{
	[[ ! -e /sys/module/vnic ]]
}

taint()
{
	local taint

	read -r taint </proc/sys/kernel/tainted
	echo $((taint & ~taint_own))
}

remember()
{
	echo "# $name begins"
	echo "vnic check: $file begins" >/dev/kmsg
	interfaces_before=$(interfaces)
	namespaces_before=$(namespaces)
}

check_processes()
{
	until_true 3 no_processes && return
	show_processes "process left"
	until_true 10 kill_processes || problem "and it cannot be killed"
}

# In the place of tun's node it keeps the kernel from making one for all others.
check_nodes()
{
	[[ -f /dev/net/tun ]] || return 0
	problem "file left: /dev/net/tun"
	rm -f /dev/net/tun
}

check_network()
{
	local left one

	left=$(lines_added "$namespaces_before" "$(namespaces)")
	for one in $left; do
		problem "network namespace left: $one"
		ip netns del "$one"
	done
	until_true 10 no_new_interfaces && return
	left=$(lines_added "$interfaces_before" "$(interfaces)")
	for one in $left; do
		problem "interface left: $(ip -d -o link show "$one")"
		# Not waited for: where a reference is lost, it never ends.
		ip link del "$one" >/dev/null 2>&1 &
	done
	until_true 10 no_new_interfaces || problem "and it cannot be deleted"
}

check_unload()
{
	unloaded && return
	until_true 10 unused ||
		problem "module in use: $(grep '^vnic ' /proc/modules)"
	rmmod vnic >/dev/null 2>&1 &
	until_true 30 unloaded || problem "rmmod vnic does not unload it"
}

# TCP keeps what it could not deliver, and the namespace with it, for minutes
# after the socket was closed. With no such orphans allowed, each goes at its
# next try.
check_memory()
{
	local cache orphans

	read -r orphans </proc/sys/net/ipv4/tcp_max_orphans
	echo 0 >/proc/sys/net/ipv4/tcp_max_orphans
	for cache in "${!slack[@]}"; do
		until_true 60 objects_freed "$cache" && continue
		problem "objects left in the slab cache $cache: $objects_now," \
			"and ${objects_before[$cache]} before"
		# To say it once, not of every file that follows.
		objects_before[$cache]=$objects_now
	done
	echo "$orphans" >/proc/sys/net/ipv4/tcp_max_orphans
	# Too young an object is no leak: kmemleak wants it 5 seconds old.
	if echo scan 2>/dev/null >/sys/kernel/debug/kmemleak; then
		sleep 6
		echo scan >/sys/kernel/debug/kmemleak
		[[ -z $(</sys/kernel/debug/kmemleak) ]] ||
			problem "$(</sys/kernel/debug/kmemleak)"
		echo clear >/sys/kernel/debug/kmemleak
	fi
}

# A kernel with KCSAN begins to look for races when it is told to.
watch_races()
{
	local races=/sys/kernel/debug/kcsan

	[[ -e $races ]] || mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null || :
	[[ -e $races ]] || return 0
	# The kernel has some of its own, which are no reason to end here.
	echo 0 >/proc/sys/kernel/panic_on_warn
	echo on >"$races"
}

# without_races_of_others FILE: the log without data races between functions of which
# none is this module's, whoever called them. Which these are goes to FILE.
without_races_of_others()
{
	awk -v others="$1" '
		index($0, rule) && !inside { inside = 1; report = $0; next }
		!inside { print; next }
		{ report = report "\n" $0 }
		index($0, rule) {
			inside = 0
			if (report ~ /BUG: KCSAN/ && report !~ /BUG: KCSAN[^\n]*\[vnic\]/)
				print report >others
			else
				print report
		}
		END {
			if (inside)
				print report
		}' rule="$(printf '=%.0s' {1..66})"
}

check_log()
{
	local log others

	log=$(dmesg --raw | sed -n "/vnic check: $file begins/,\$p")
	[[ $log ]] || problem "the kernel log ran over: too many messages"
	if [[ -e /sys/kernel/debug/kcsan ]]; then
		others=$(mktemp)
		log=$(without_races_of_others "$others" <<<"$log")
		sed -n 's/.*BUG: KCSAN: //p' "$others" | sort | uniq -c |
			sed "s/^/# the kernel's own: /"
		rm -f "$others"
	fi
	log=$(grep -Ev "$allowed" <<<"$log")
	[[ $file != failnth.sh ]] ||
		log=$(sed -E "/$no_memory_begin/,/$no_memory_end/d" <<<"$log" |
			grep -Ev "$no_memory")
	! grep -Eq "$forbidden" <<<"$log" ||
		problem "$(grep -E -A 20 "$forbidden" <<<"$log")"
	(($(taint) == taint_before)) ||
		problem "kernel tainted: $(taint), before it was $taint_before"
}

declare -A objects_before

begin_guest()
{
	# A module of tunnels makes an interface of its own when it is loaded,
	# which cannot be deleted; a test that loads one has not left it.
	echo 2 >/proc/sys/net/core/fb_tunnels_only_for_init_net
	count_objects
	taint_before=$(taint)
	watch_races
}
