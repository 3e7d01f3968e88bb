# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the labs share. Each is a script that says what it is, sets NEEDS, the
# programs that it calls, defines
#
#	up()	make it: with ns, run and start, which note what has to go again
#	show()	what there is to see
#	trip()	FOLLOW and TRIP: which packet is traced, of which command
#	check()	assert the packet's path, with path and counts
#	rates()	some have it: throughput of what it has, with rate
#
# and ends with: lab "$@"
#
#	LAB up      set it up
#	LAB show    look at it
#	LAB trace [OPTION...]  one packet's trip, by vnic-trace run OPTION...
#	LAB test    is the packet's path what the page says?
#	LAB measure how fast is TCP?
#	LAB down    take it down
#	LAB         all of it in turn
#
# What is made is written down before it is made, in $STATE: so whatever ends a
# lab in the middle, the next call of it finds what is left. Files go to $FOLDER,
# which goes with the lab.

set -u
export LC_ALL=C

LAB=$(basename "$0")
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
STATE=/run/vnic-labs/$LAB
FOLDER=$STATE.d
# Where pages are tried the labs are found by name, and one has that of a program.
PATH=:$PATH:
PATH=${PATH//:$TOP\/tools\/labs:/:}
PATH=$TOP/build/tools:$TOP/tools/vnic-trace$PATH/usr/sbin:/sbin
# What tools/setup has unpacked and not installed comes last.
UNPACKED=$TOP/build/programs/usr
PATH+=:$UNPACKED/bin:$UNPACKED/sbin
for dir in "$UNPACKED"/{,../}lib/*-linux-gnu; do
	[[ ! -d $dir ]] || export LD_LIBRARY_PATH+=${LD_LIBRARY_PATH:+:}$dir
done
TRACEFS=/sys/kernel/tracing
NEEDS=()
building=''

say()
{
	printf '%s: %s\n' "$LAB" "$*"
}

die()
{
	say "$*" >&2
	exit 1
}

# Show a command and run it.
run()
{
	printf '$ %s\n' "$*"
	"$@" || die "'$*' failed with status $?"
}

# within SECONDS COMMAND...: poll; more of them on a slow kernel
within()
{
	local end=$((SECONDS + $1 * ${VNIC_PATIENCE:-1}))

	shift
	until "$@"; do
		((SECONDS < end)) || return
		sleep 0.05
	done
}

# ------------------------------------------------------------ what is made

note()
{
	printf '%s\n' "$*" >>"$STATE"
}

# claim NS: a namespace of this name is ours from now on
claim()
{
	[[ ! -e /run/netns/$1 ]] ||
		die "there is a namespace $1, which is not this lab's"
	note "ns $1"
}

# ns NAME...: a namespace in which only what we send is sent
ns()
{
	local name

	for name; do
		claim "$name"
		run ip netns add "$name"
		[[ ! -e /proc/sys/net/ipv6 ]] || ip netns exec "$name" \
			sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
		ip -n "$name" link set lo up
	done
}

# What tells a process from a later one with its number
birth()
{
	local -a line

	read -r line <"/proc/$1/stat" 2>/dev/null || return
	read -ra line <<<"${line##*) }"
	echo "${line[19]}"
}

# start COMMAND...: a program that goes on in the background
start()
{
	printf '$ %s &\n' "$*"
	# It writes itself down: nothing can come between that and its start.
	(
		exec 9>&-
		# BASHPID within $( ) would be another process.
		pid=$BASHPID
		note "pid $pid $(birth "$pid")"
		exec "$@" >>"$STATE.log" 2>&1
	) &
}

# as_tun COMMAND...: AS_TUN is how to start it so that it finds /dev/vnic where it
# looks for /dev/net/tun, a name that many programs have built in
as_tun()
{
	if [[ ! -e /dev/net/tun ]]; then
		note tun
		mkdir -p /dev/net
		: >/dev/net/tun
	fi
	# shellcheck disable=SC2016,SC2034 # its own arguments; a lab's to use
	AS_TUN=(unshare -m sh -c
		'mount --bind /dev/vnic /dev/net/tun && exec "$0" "$@"' "$@")
}

# listens NS PORT: is there a TCP server?
listens()
{
	[[ $(ip netns exec "$1" ss -Hltn "sport = :$2") ]]
}

# serve NS ADDRESS: a web server there, whose page takes some eighty packets
serve()
{
	mkdir -p "$FOLDER/web"
	seq 20000 >"$FOLDER/web/page"
	start ip netns exec "$1" python3 -m http.server --bind "$2" \
		--directory "$FOLDER/web" 80
	within 60 listens "$1" 80 || die "no web server: $(cat "$STATE.log")"
}

# is_up NS DEV
is_up()
{
	[[ $(ip -n "$1" -br link show "$2" 2>/dev/null) == *LOWER_UP* ]]
}

# load MODULE...: of the kernel, what is not there yet
load()
{
	local module

	for module; do
		[[ ! -d /sys/module/$module ]] || continue
		note "load $module"
		run modprobe "$module"
	done
}

# ready NS DEV...: a program has made them
ready()
{
	local dev

	for dev in "${@:2}"; do
		within 60 is_up "$1" "$dev" ||
			die "$dev did not come up in $1: $(cat "$STATE.log")"
	done
}

# ------------------------------------------------------------ and goes

same()
{
	[[ $(birth "$1") == "$2" ]]
}

# May be a zombie for a while, if a parent has other things to do.
over()
{
	! same "$@" || [[ $(<"/proc/$1/stat") == *') Z '* ]]
}

end_program()
{
	same "$1" "$2" || return 0
	kill "$1" 2>/dev/null
	within 10 over "$1" "$2" || kill -9 "$1" 2>/dev/null
	within 10 over "$1" "$2" || say "process $1 does not end"
}

# Its devices first: with the namespace alone they go some time later.
end_ns()
{
	local dev

	[[ -e /run/netns/$1 ]] || return 0
	for dev in $(ip -n "$1" -br link 2>/dev/null | cut -d ' ' -f 1); do
		dev=${dev%@*}
		[[ $dev == lo ]] || ip -n "$1" link del "$dev" 2>/dev/null
	done
	ip netns del "$1"
}

unload()
{
	[[ ! -d /sys/module/$1 ]] || modprobe -rq "$1"
}

# The first that was made is the last to go.
take_down()
{
	local what left=''

	exec 8>&2 2>/dev/null
	mapfile -t made < <(tac "$STATE")
	for what in "${made[@]}"; do
		# shellcheck disable=SC2086 # words
		[[ $what != pid\ * ]] || end_program ${what#pid }
	done
	for what in "${made[@]}"; do
		case $what in
		ns\ *) end_ns "${what#ns }" ;;
		instance\ *) end_instance "${what#instance }" ;;
		esac
	done
	[[ " ${made[*]} " != *" module "* ]] || rmmod vnic
	if [[ " ${made[*]} " == *" tun "* && -f /dev/net/tun ]]; then
		rm -f /dev/net/tun
		rmdir /dev/net
	fi
	# In use until the kernel is through with a namespace, which takes a while.
	for what in "${made[@]}"; do
		case $what in
		load\ *) within 20 unload "${what#load }" ;;
		esac
	done
	for what in "${made[@]}"; do
		case $what in
		ns\ *) [[ ! -e /run/netns/${what#ns } ]] || left+=" $what" ;;
		instance\ *) [[ ! -d ${what#instance } ]] || left+=" $what" ;;
		load\ *) [[ ! -d /sys/module/${what#load } ]] || left+=" $what" ;;
		module) [[ ! -d /sys/module/vnic ]] || left+=" $what" ;;
		esac
	done
	exec 2>&8 8>&-
	[[ ! $left ]] || die "could not be taken down:$left"
	rm -rf "$STATE" "$STATE.log" "$FOLDER"
	say "taken down, nothing is left"
}

# At the end of an up that came to no end, by whatever but kill -9
broken_off()
{
	trap - EXIT INT TERM HUP
	[[ $building ]] || return
	say "not finished; what there is goes again" >&2
	take_down
}

# ------------------------------------------------------------ a packet's path

# listen: the stations of IPv4 packets, ours and the core's, into a buffer of
# our own
listen()
{
	local event events=(net/net_dev_start_xmit net/netif_rx_entry
		net/netif_receive_skb_entry net/netif_receive_skb_list_entry
		net/napi_gro_receive_entry vnic/vnic_taken vnic/vnic_checked)

	[[ -d $TRACEFS/events ]] ||
		run mount -t tracefs tracefs "$TRACEFS"
	[[ -d $TRACEFS/events/vnic ]] ||
		die "this kernel has no tracepoints: the path cannot be seen"
	INSTANCE=$TRACEFS/instances/lab-$LAB
	note "instance $INSTANCE"
	mkdir -p "$INSTANCE"
	echo mono >"$INSTANCE/trace_clock"
	: >"$INSTANCE/trace"
	for event in "${events[@]}"; do
		echo 'protocol == 0x0800' >"$INSTANCE/events/$event/filter" ||
			die "no event $event"
		echo 1 >"$INSTANCE/events/$event/enable"
	done
}

end_instance()
{
	echo 0 >"$1/events/enable"
	rmdir "$1"
}

# The path in words: which device sends (out) and receives (in), and where a
# program reads and writes.
heard()
{
	sed -n -E '/^#/d
		s/.* net_dev_start_xmit: dev=([^ ]+) .*/out \1/p
		s/.* (netif_rx|netif_receive_skb|netif_receive_skb_list|napi_gro_receive)_entry: dev=([^ ]+) .*/in \2/p
		s/.* vnic_taken: dev=([^ ]+) .*/read \1/p
		s/.* vnic_checked: dev=([^ ]+) .*/write \1/p' "$INSTANCE/trace" |
		paste -sd ' ' | sed 's/ \(out\|in\|read\|write\) /, \1 /g'
}

heard_is()
{
	[[ $(heard) == "$1" ]]
}

# From now on, who is known is not asked once more.
settle()
{
	local what

	while read -r what; do
		[[ $what == ns\ * ]] || continue
		# shellcheck disable=SC2016 # its own variable
		ip netns exec "${what#ns }" sh -c '
			for delay in /proc/sys/net/ipv4/neigh/*/delay_first_probe_time; do
				echo 3600 >"$delay"
			done
			ip neigh flush all'
	done <"$STATE"
}

# path WORDS NS ADDRESS: one ping from NS goes there and back by this path. A lab
# has a function learned() if its switches take a while to use what they have
# learned of an answer.
path()
{
	local got

	# It has to know the other's address, or it would have to ask.
	ip netns exec "$2" ping -q -c 1 -W 20 "$3" >/dev/null ||
		die "$3 does not answer $2"
	! declare -F learned >/dev/null || learned
	listen
	run ip netns exec "$2" ping -q -c 1 -W 20 "$3"
	within 5 heard_is "$1"
	got=$(heard)
	end_instance "$INSTANCE"
	[[ $got == "$1" ]] || die "the path is not '$1', but '$got'"
	say "path: $got"
}

# counter NS DEV NAME: of a device; or, of the stack, as in "Ip OutRequests"
counter()
{
	if [[ $2 == [A-Z]* ]]; then
		# shellcheck disable=SC2016 # awk's own
		ip netns exec "$1" awk -v of="$2:" -v name="$3" '
			$1 == of && column { print $column }
			$1 == of { for (column = NF; column > 1 &&
				$column != name; column--) }' /proc/net/snmp
	else
		ip netns exec "$1" cat "/sys/class/net/$2/statistics/$3"
	fi
}

# counts N NS DEV COUNTER COMMAND...: the command adds N to it, once whom it asks
# is known
counts()
{
	local before after

	before=$(counter "$2" "$3" "$4")
	run "${@:5}"
	after=$(counter "$2" "$3" "$4")
	((after - before == $1)) || die "$4 of $3 has grown by" \
		"$((after - before)), not by $1"
	say "$4 of $3: $1 more"
}

# fetch NS ADDRESS: the page of the web server there
fetch()
{
	# shellcheck disable=SC2016 # its own arguments
	ip netns exec "$1" timeout 60 bash -c 'exec 5<>"/dev/tcp/$0/80" &&
		printf "GET /page HTTP/1.0\r\n\r\n" >&5 && cat <&5' "$2" |
		sed '1,/^\r$/d'
}

# unlike NS DEV HOST NIC: by how many packets and bytes, both ways, what the one
# has sent is not what the other one has received
unlike()
{
	local what

	for what in packets bytes; do
		echo $(($(counter "$1" "$2" "rx_$what") -
			$(counter "$3" "$4" "tx_$what")))
		echo $(($(counter "$1" "$2" "tx_$what") -
			$(counter "$3" "$4" "rx_$what")))
	done
}

unlike_is()
{
	[[ $(unlike "${@:2}") == "$1" ]]
}

# visit NS DEV HOST NIC ADDRESS: the page that ADDRESS serves comes whole to NS, and
# all of that connection that DEV carries has gone by NIC
visit()
{
	local before sent

	before=$(unlike "${@:1:4}")
	sent=$(counter "$3" "$4" tx_bytes)
	fetch "$1" "$5" | cmp - "$FOLDER/web/page" ||
		die "the page from $5 is not the one that is served"
	within 10 unlike_is "$before" "${@:1:4}" ||
		die "not all that $2 has carried has gone by $4"
	sent=$(($(counter "$3" "$4" tx_bytes) - sent))
	((sent > $(stat -c %s "$FOLDER/web/page"))) ||
		die "the page has not come by $4, but $sent bytes"
	say "the page of http://$5/ has come whole, all of it by $4"
}

# rate WHAT NS TO ADDRESS: of TCP from the one to the other. It is said, and nothing
# is asserted of it: machines differ.
rate()
{
	local said

	start ip netns exec "$3" iperf3 -s -1 -B "$4"
	within 20 listens "$3" 5201 || die "no iperf3: $(cat "$STATE.log")"
	said=$(ip netns exec "$2" iperf3 -c "$4" -t 2 -f m) ||
		die "iperf3 from $2 to $4: $said"
	wait "$!"
	say "$1: $(awk '/receiver/ { print $7, $8 }' <<<"$said")"
}

# ------------------------------------------------------------ the commands

need()
{
	local program

	((EUID == 0)) || die "needs root: it is made for make shell"
	for program in ip ping "${NEEDS[@]}"; do
		[[ ! -x $(type -P "$program") ]] || continue
		[[ $program != vnic-hub && $program != vnic-exec ]] ||
			die "there is no $program: type make tools"
		die "$program is not installed"
	done
	[[ ! -d /sys/module/vnic ]] || return 0
	note module
	if [[ ${VNIC_KO:-} ]]; then
		run insmod "$VNIC_KO"
	else
		modprobe vnic 2>/dev/null ||
			die "the module is not loaded: insmod vnic.ko, or make shell"
	fi
}

# One call of a lab at a time; its programs do not hold the lock.
lock()
{
	mkdir -p /run/vnic-labs 2>/dev/null || die "needs root"
	exec 9>"$STATE.lock"
	flock -n 9 || die "is busy: another call of it is running"
}

do_up()
{
	if [[ -e $STATE && $(tail -n 1 "$STATE") == complete ]]; then
		die "is up already: tools/labs/$LAB down takes it down"
	elif [[ -e $STATE ]]; then
		say "something is left of a call that was broken off"
		take_down
	fi
	: >"$STATE"
	building=1
	trap broken_off EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	mkdir -p "$FOLDER"
	chmod 700 "$FOLDER"
	need
	up
	note complete
	building=''
	say "is up"
}

is_there()
{
	[[ -e $STATE && $(grep -vc '^instance' "$STATE") -gt 0 &&
		$(grep -c '^complete$' "$STATE") == 1 ]] ||
		die "is not up: tools/labs/$LAB up"
}

do_trace()
{
	is_there
	type -P vnic-trace >/dev/null ||
		die "there is no tools/vnic-trace/vnic-trace"
	trip
	run vnic-trace run --follow "$FOLLOW" "$@" -- "${TRIP[@]}"
}

do_test()
{
	is_there
	settle
	check
	say "all is as the page says"
}

do_measure()
{
	is_there
	declare -F rates >/dev/null || die "there is nothing to compare in this lab"
	rates
}

do_down()
{
	if [[ -e $STATE ]]; then
		take_down
	else
		say "is not up; nothing is left"
	fi
}

all()
{
	do_up
	building=1
	show
	[[ ! -e $TOP/tools/vnic-trace/vnic-trace ]] || do_trace
	do_test
	! declare -F rates >/dev/null || rates
	building=''
	take_down
}

lab()
{
	lock
	case ${1:-all} in
	all) all ;;
	show) is_there && show ;;
	up|test|measure|down) "do_$1" ;;
	trace) do_trace "${@:2}" ;;
	*) die "usage: tools/labs/$LAB [up|show|trace|test|measure|down]" ;;
	esac
}
