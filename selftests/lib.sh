# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the shell selftests share, on top of kselftest's ktap_helpers.sh:
# subtests with an undo stack each, commands that are printed before they
# run, namespaces with unique names, waiting with a deadline, counters.
#
# A test file sources this, names the kinds it needs (need_kind), defines
# functions test_NAME and ends with
#
#	subtests NAME "what it shows" NAME "what it shows" ...
#
# Each test_NAME runs in a subshell of its own: it passes by coming to its
# end, fails by fail, is skipped by skip, and what it deferred is undone
# in each of the three cases. ./FILE.sh NAME... runs these subtests alone.
#
# VNIC_KIND_VNVETH=veth (VNIC_KIND_VNDUMMY=dummy) runs a file against the
# in-tree driver: where that fails as well, look at the kernel or the test.

set -u
export LC_ALL=C

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SELF=$(basename "$0")
# shellcheck disable=SC2034	# the test files use these
VNDUMMY=${VNIC_KIND_VNDUMMY:-vndummy}
# shellcheck disable=SC2034
VNVETH=${VNIC_KIND_VNVETH:-vnveth}

# Comments leave through descriptor 3, so that a command whose output is
# caught can still be announced. IDLE never has data: a read from it with
# a timeout is a sleep that starts no process.
exec 3>&1
exec {IDLE}<> <(:)

# ------------------------------------------------------------ KTAP

for dir in "$HERE/../kselftest" \
	   "${VNIC_SOURCE:-/nowhere}/tools/testing/selftests/kselftest" \
	   "$HERE"/../build/linux-source-*/tools/testing/selftests/kselftest; do
	[[ -r $dir/ktap_helpers.sh ]] && break
done
if [[ ! -r $dir/ktap_helpers.sh ]]; then
	echo "$SELF: no kselftest/ktap_helpers.sh; type:" \
	     "VNIC_SOURCE=\$(tools/qemu/source) selftests/$SELF" >&2
	exit 1
fi
# shellcheck source=/dev/null
. "$dir/ktap_helpers.sh"
# shellcheck source=selftests/lib_process.sh
. "$HERE/lib_process.sh"

# What another test has said is quoted: a result in it is not one of ours.
note()
{
	local text="$*" result=$'(^|\n)((# )*((not )?ok [0-9]|1\\.\\.)|TAP version|Bail out)'

	[[ ! $text =~ $result ]] || text="| ${text//$'\n'/$'\n| '}"
	printf '# %s\n' "${text//$'\n'/$'\n# '}" >&3
}

fail()
{
	note "FAILED: $*"
	exit "$KSFT_FAIL"
}

skip()
{
	note "skipped: $*"
	exit "$KSFT_SKIP"
}

# Ends the whole file before its first subtest.
skip_all()
{
	ktap_print_header
	ktap_skip_all "$*"
	exit "$KSFT_SKIP"
}

# ------------------------------------------------------------ undo

DEFERRED=()

defer()
{
	DEFERRED+=("$(printf '%q ' "$@")")
}

undo()
{
	local i

	for ((i = ${#DEFERRED[@]} - 1; i >= 0; i--)); do
		eval "${DEFERRED[i]}" >/dev/null 2>&1
	done
	DEFERRED=()
}

WORK=$(mktemp -d "${TMPDIR:-/tmp}/vnic-selftest-XXXXXX")
defer rm -rf "$WORK"
trap undo EXIT
trap 'exit 130' INT TERM

# ------------------------------------------------------------ subtests

subtest()
{
	(
		DEFERRED=()
		trap undo EXIT
		trap 'exit 130' INT TERM
		"test_$1"
	)
}

subtests()
{
	local list=("$@") chosen=() i start again

	for ((i = 0; i < ${#list[@]}; i += 2)); do
		if ((${#ONLY[@]} == 0)) ||
		   [[ " ${ONLY[*]} " == *" ${list[i]} "* ]]; then
			chosen+=("$i")
		fi
	done
	if ((${#chosen[@]} == 0)); then
		echo "$SELF: no such subtest: ${ONLY[*]}" >&2
		exit "$KSFT_FAIL"
	fi

	ktap_print_header
	ktap_set_plan "${#chosen[@]}"
	for i in "${chosen[@]}"; do
		note "--- ${list[i]}"
		start=${EPOCHREALTIME/./}
		subtest "${list[i]}"
		set -- "$?" $(((${EPOCHREALTIME/./} - start) / 1000))
		note "$2 ms"
		case $1 in
		"$KSFT_PASS")
			ktap_test_pass "${list[i]}: ${list[i + 1]}" ;;
		"$KSFT_SKIP")
			ktap_test_skip "${list[i]}: ${list[i + 1]}" ;;
		*)
			ktap_test_fail "${list[i]}: ${list[i + 1]}"
			again+=" ${list[i]}" ;;
		esac
	done
	[[ -z ${again:-} ]] ||
		note "once more, alone: ${ALONE:-selftests/$SELF$again}"
	ktap_finished
}

# ------------------------------------------------------------ commands

# Prints a command, runs it, prints its output; it has to succeed.
run()
{
	local out rc

	note "+ $*"
	out=$("$@" 2>&1 {IDLE}>&-)
	rc=$?
	[[ -z $out ]] || note "$out"
	((rc == 0)) || fail "'$*' ended with $rc"
}

# The same; its output goes into the variable that is named first.
capture()
{
	local capture_out capture_rc

	note "+ ${*:2}"
	capture_out=$("${@:2}" 2>&1 {IDLE}>&-)
	capture_rc=$?
	if ((capture_rc)); then
		note "$capture_out"
		fail "'${*:2}' ended with $capture_rc"
	fi
	printf -v "$1" '%s' "$capture_out"
}

# refused TEXT COMMAND...: the command fails, and says TEXT.
refused()
{
	local out rc

	note "+ ${*:2}   (must fail)"
	out=$("${@:2}" 2>&1 {IDLE}>&-)
	rc=$?
	[[ -z $out ]] || note "$out"
	((rc != 0)) || fail "'${*:2}' was not refused"
	((rc != 126 && rc != 127)) || fail "'$2' could not be run"
	[[ $out == *"$1"* ]] || fail "'${*:2}' does not say '$1'"
}

# start NAME COMMAND...: in the background, with its output in $WORK/NAME
# and its process id in $PID; killed at the end, should it still run.
start()
{
	note "+ ${*:2} &"
	# Not what an earlier one of this name has said.
	: >"$WORK/$1"
	"${@:2}" >"$WORK/$1" 2>&1 3>&- {IDLE}>&- &
	PID=$!
	defer kill -9 "$PID"
}

finished()
{
	! running "$1"
}

# ended NAME PID SECONDS: waits for what start NAME began; its status
# goes to $STATUS, its output is shown.
ended()
{
	eventually "$3" "'$1' ends" finished "$2"
	wait "$2"
	STATUS=$?
	note "$1 ended with $STATUS: $(tail -n 3 "$WORK/$1")"
}

# ------------------------------------------------------------ waiting

# within SECONDS COMMAND...: true once the command is, false at the
# deadline. VNIC_PATIENCE times as many on a slow machine or kernel.
within()
{
	local end=$((${EPOCHREALTIME/./} + $1 * ${VNIC_PATIENCE:-1} * 1000000))

	until "${@:2}"; do
		((${EPOCHREALTIME/./} < end)) || return 1
		read -rt 0.03 -u "$IDLE"
	done
	return 0
}

# eventually SECONDS WHAT COMMAND...
eventually()
{
	within "$1" "${@:3}" || fail "after $1 s still not so: $2"
}

says()
{
	grep -qse "$2" "$WORK/$1"
}

# ------------------------------------------------------------ checks

# is GOT WANTED WHAT
is()
{
	[[ $1 == "$2" ]] || fail "$3: got '$1', expected '$2'"
}

# find_built VAR NAME HOW: a file that was built, by make -C selftests (the
# runner installs it beside the tests, where a page's command finds it last) or
# by make tools.
find_built()
{
	local dir

	for dir in "$HERE" "$HERE/../build/selftests" "$HERE/../build/tools" \
		   "$HERE/../../tools" "$HERE/../build/kselftest/vnic" ""; do
		[[ -e $dir/$2 ]] && break
	done
	if [[ -z $dir ]]; then
		echo "Bail out! there is no $2; type: $3"
		exit "$KSFT_FAIL"
	fi
	printf -v "$1" '%s' "$dir/$2"
}

# need_helpers NAME...: $NAME in capitals is the program, which
# selftests/Makefile builds.
need_helpers()
{
	local name

	for name; do
		find_built "${name^^}" "$name" "make -C selftests"
	done
}

# need_programs NAME...: the same for those of tools/; $VNIC_HUB is vnic-hub.
need_programs()
{
	local name var

	for name; do
		var=${name^^}
		find_built "${var//-/_}" "$name" "make tools"
	done
}

need_tools()
{
	local tool

	for tool; do
		type -P "$tool" >/dev/null || skip_all "$tool is not installed"
	done
}

load()
{
	if [[ -n ${VNIC_KO:-} ]]; then
		insmod "$VNIC_KO"
	else
		modprobe vnic
	fi
}

# An in-tree driver to compare with, loaded or built in. dummy would make
# an interface of its own if it was not told so.
need_in_tree()
{
	case $1 in
	dummy) modprobe -q dummy numdummies=0 ;;
	*) modprobe -q "$1" ;;
	esac
}

# need_kind KIND...: root, and the drivers of these kinds.
need_kind()
{
	local kind

	((EUID == 0)) || skip_all "needs root: sudo selftests/$SELF"
	need_tools ip
	for kind; do
		case $kind in
		vn*)
			[[ -d /sys/module/vnic ]] && continue
			load || skip_all "no vnic module; type: make &&" \
				"VNIC_KO=\$PWD/vnic.ko selftests/$SELF"
			defer rmmod vnic ;;
		*)
			need_in_tree "$kind" ;;
		esac
	done
}

# ------------------------------------------------------------ network

# setup_ns VAR...: a namespace each, its name in the variable.
setup_ns()
{
	local var

	for var; do
		printf -v "$var" 'vnic-%s-%s' "$$" "${var,,}"
		run ip netns add "${!var}"
		defer ip netns del "${!var}"
	done
}

# No IPv6 in these namespaces: nothing but the test sends packets there.
silence()
{
	local ns

	[[ -d /proc/sys/net/ipv6 ]] || return 0
	for ns; do
		run ip netns exec "$ns" sysctl -qw \
			net.ipv6.conf.all.disable_ipv6=1 \
			net.ipv6.conf.default.disable_ipv6=1
	done
}

# setup_dummy NS [OPTION...]: d0 with these options, up
setup_dummy()
{
	run "$NEWLINK" -n "$1" add "$VNDUMMY" name d0 "${@:2}"
	run ip -n "$1" link set d0 up
}

# setup_pair NS1 NS2 [OPTION...]: v0 with these options (10.77.0.1/24) in the
# first, its peer v1 (10.77.0.2/24) in the second, both up.
setup_pair()
{
	run "$NEWLINK" -n "$1" add "$VNVETH" name v0 "${@:3}" \
		peer name v1 netns "$2"
	pair_up "$1" "$2"
}

# pair_up NS1 NS2: the same, of a pair that is there
pair_up()
{
	run ip -n "$1" addr add 10.77.0.1/24 dev v0
	run ip -n "$2" addr add 10.77.0.2/24 dev v1
	run ip -n "$1" link set v0 up
	run ip -n "$2" link set v1 up
	eventually 5 "v0 has a carrier" carrier_is "$1" v0 up
}

# Nobody asks again, seconds after the first packets, whether the other side of
# setup_pair is still there: the question would be among what is recorded.
keep_neighbours()
{
	run ip netns exec "$1" sh -c \
		'echo 1000 >/proc/sys/net/ipv4/neigh/v0/delay_first_probe_time'
	run ip netns exec "$2" sh -c \
		'echo 1000 >/proc/sys/net/ipv4/neigh/v1/delay_first_probe_time'
}

# Kernels for one processor tell of no receive queues.
need_rx_queues()
{
	[[ -d /sys/class/net/lo/queues/rx-0 ]] ||
		skip "this kernel tells of no receive queues (RPS)"
}

exists()
{
	ip -n "$1" link show dev "$2" >/dev/null 2>&1
}

gone()
{
	! exists "$@"
}

# The names of all interfaces of a namespace but lo go into VAR, sorted.
interfaces()
{
	local line out=()

	while IFS=' :@' read -r _ line _; do
		[[ $line == lo ]] || out+=("$line")
	done < <(ip -n "$2" -o link show | sort -t: -k2)
	printf -v "$1" '%s' "${out[*]}"
}

# field VAR KEY JSON: the first value of this key.
field()
{
	if [[ $3 =~ \"$2\":\"([^\"]*)\" || $3 =~ \"$2\":([^,\}]*) ]]; then
		printf -v "$1" '%s' "${BASH_REMATCH[1]}"
	else
		printf -v "$1" '%s' none
	fi
}

# link_field VAR NS DEV KEY: as `ip -d -j link` shows it.
link_field()
{
	local json

	json=$(ip -n "$2" -d -j link show dev "$3") ||
		fail "$3 is not in $2"
	field "$1" "$4" "$json"
}

# link_has NS DEV KEY=VALUE...
link_has()
{
	local json pair got

	capture json ip -n "$1" -d -j link show dev "$2"
	for pair in "${@:3}"; do
		field got "${pair%%=*}" "$json"
		is "$got" "${pair#*=}" "$2: ${pair%%=*}"
	done
}

carrier_is()
{
	local json got=down

	json=$(ip -n "$1" -j link show dev "$2" 2>/dev/null)
	[[ $json != *LOWER_UP* ]] || got=up
	[[ $got == "$3" ]]
}

# counters ARRAY NS DEV: rx_packets, tx_dropped ... of an interface.
counters()
{
	local -n counters_into=$1
	local json way pair part

	json=$(ip -n "$2" -s -j link show dev "$3") || fail "$3 is not in $2"
	for way in rx tx; do
		[[ $json =~ \"$way\":\{([^\}]*)\} ]] ||
			fail "no counters in: $json"
		IFS=, read -ra part <<< "${BASH_REMATCH[1]//\"/}"
		for pair in "${part[@]}"; do
			# shellcheck disable=SC2034	# a name reference
			counters_into[${way}_${pair%%:*}]=${pair#*:}
		done
	done
}

# more_than N NS DEV COUNTER
more_than()
{
	local -A now

	counters now "$2" "$3"
	((now[$4] > $1))
}

# receives N NS DEV: wait until it has received N packets more than now; what
# came before says nothing about a sender that has only just been started.
receives()
{
	local -A before

	counters before "$2" "$3"
	eventually 20 "$3 receives $1 packets" \
		more_than $((before[rx_packets] + $1 - 1)) "$2" "$3" rx_packets
}

# What `ethtool -k` says of a device, sorted, without the device's name.
features()
{
	local features_out

	capture features_out ip netns exec "$2" ethtool -k "$3"
	printf -v "$1" '%s' "$(sort <<< "${features_out#*$'\n'}")"
}

# ------------------------------------------------------------ programs

# need_labs: $LABS is tools/labs.
need_labs()
{
	for LABS in "$HERE/../tools/labs" "$HERE/../../../tools/labs" ""; do
		[[ ! -x $LABS/containers ]] || return 0
	done
	skip_all "there is no tools/labs"
}

# What tools/setup has unpacked and not installed, behind what is installed.
use_unpacked()
{
	local dir lib

	for dir in "$HERE/../../programs" "$HERE/../build/programs"; do
		dir=$(cd "$dir/usr/.." 2>/dev/null && pwd) || continue
		PATH+=:$dir/usr/bin:$dir/usr/sbin
		PATH+=:$dir/usr/lib/openvswitch-switch
		for lib in "$dir"/{,usr/}lib/*-linux-gnu; do
			LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$lib
		done
		export LD_LIBRARY_PATH
		return
	done
}

# need_device: the driver behind $VNIC_DEV, and what its kinds are called in
# $TUN and $TAP. Everybody may open it, which is not so of in-tree tun where
# no udev runs, and as_tun has a name to put it at.
need_device()
{
	local mode

	export VNIC_DEV=${VNIC_DEV:-/dev/vnic}
	# shellcheck disable=SC2034	# the test files use these
	TUN=vntun TAP=vntap
	if [[ $VNIC_DEV == */net/tun ]]; then
		# shellcheck disable=SC2034
		TUN=tun TAP=tun VNVETH=${VNIC_KIND_VNVETH:-veth}
	fi
	need_kind "$TUN"
	mode=$(stat -c %a "$VNIC_DEV") || skip_all "there is no $VNIC_DEV"
	if [[ $mode != 666 ]]; then
		defer chmod "$mode" "$VNIC_DEV"
		chmod 666 "$VNIC_DEV"
	fi
	tun_node
}

# tun_node: what as_tun is to have, which is also what some tests compare with if
# this kernel has in-tree tun. That has to come first: where there is a file of this
# name, the kernel makes no node, neither now nor when the file is gone.
tun_node()
{
	modprobe -q tun
	if [[ ! -d /dev/net ]]; then
		defer rmdir /dev/net
		mkdir /dev/net
	fi
	if [[ ! -e /dev/net/tun ]]; then
		defer rm -f /dev/net/tun
		: >/dev/net/tun
	fi
}

# as_tun COMMAND...: it finds $VNIC_DEV as /dev/net/tun. Only as the command
# of run, start and their like.
as_tun()
{
	# shellcheck disable=SC2016	# its own arguments
	exec unshare -m sh -c 'mount --bind "$0" /dev/net/tun && exec "$@"' \
		"$VNIC_DEV" "$@"
}

# traffic HERE THERE ADDRESS [SIZE]: between two namespaces, of which the second
# has ADDRESS. Pings, the largest of SIZE bytes (65507: without jumbo frames in
# 45 fragments); then a TCP connection, on which each side sends something else
# at the same time.
traffic()
{
	local way side PID

	# All of them are answered, be it late: this machine may be slow.
	for way in "-c 10 -i 0.02" "-c 5 -i 0.05 -s 1472" \
		"-c 2 -i 0.5 -s ${4:-65507}"; do
		# shellcheck disable=SC2086	# several words
		run ip netns exec "$1" ping -q -w 30 $way "$3"
	done
	for side in here there; do
		[[ -e $WORK/$side ]] || head -c 300000 /dev/urandom >"$WORK/$side"
		rm -f "$WORK/to-$side"
	done
	start tcp ip netns exec "$2" socat -t 60 \
		"OPEN:$WORK/there!!CREATE:$WORK/to-there" \
		"TCP-LISTEN:7777,bind=$3,reuseaddr"
	run ip netns exec "$1" socat -t 60 -T 60 \
		"OPEN:$WORK/here!!CREATE:$WORK/to-here" \
		"TCP:$3:7777,retry=100,interval=0.1"
	ended tcp "$PID" 20
	run cmp "$WORK/here" "$WORK/to-there"
	run cmp "$WORK/there" "$WORK/to-here"
}

ONLY=("$@")
