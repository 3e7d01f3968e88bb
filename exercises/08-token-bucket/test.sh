#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# One end of a pair may send so many bytes a second (attribute 36, a u32) and so
# many at once (37, a u32).
#
#   namespace A              namespace B
#     v0 ======= pair ======= v1
#     |
#   a bucket: what does not fit is lost

. "$(dirname "$0")/../lib.sh"
need_kind vnveth
need_tools ethtool
need_helpers newlink packets

# number N: a u32 as newlink wants it: little endian
number()
{
	printf '%02x%02x%02x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) \
		$(($1 >> 16 & 255)) $(($1 >> 24))
}

setup()
{
	setup_ns A B
	silence "$A" "$B"
	setup_pair "$A" "$B" "$@"
}

# rate WORD...: of v0
rate()
{
	run "$NEWLINK" -n "$A" set v0 kind vnveth "$@"
}

# At one byte a second nothing is earned while a test runs.
test_burst()
{
	setup
	rate info 36 "$(number 1)" info 37 "$(number 10000)"
	run "$PACKETS" -n "$A" v0 50 1000
	counts "$A" v0 tx_packets=10 tx_bytes=10000 tx_drop_rate=40 \
		ip_tx_dropped=40
	counts "$B" v1 rx_packets=10 rx_drop_rate=40
	closes "$A" v0 "$B" v1
}

# Small ones still fit where a large one does not.
test_sizes()
{
	setup
	rate info 36 "$(number 1)" info 37 "$(number 2000)"
	run "$PACKETS" -n "$A" v0 2 1500
	run "$PACKETS" -n "$A" v0 7 100
	counts "$A" v0 tx_packets=6 tx_bytes=2000 tx_drop_rate=3
}

test_other_end()
{
	setup
	rate info 36 "$(number 1)" info 37 "$(number 2000)"
	run "$PACKETS" -n "$B" v1 50 1000
	counts "$B" v1 tx_packets=50 tx_drop_rate=0
}

# 4 GB a second is more than anybody sends here.
test_fast()
{
	setup
	rate info 36 "$(number 4000000000)"
	run "$PACKETS" -n "$A" v0 500 1000
	counts "$A" v0 tx_packets=500 tx_drop_rate=0
}

# What was spent is earned again: at 10,000 bytes a second in a tenth.
test_refill()
{
	setup
	rate info 36 "$(number 10000)" info 37 "$(number 2000)"
	run "$PACKETS" -n "$A" v0 20 1000
	eventually 20 "more than what was in the bucket comes" refilled
}

refilled()
{
	"$PACKETS" -n "$A" v0 1 1000 >/dev/null
	more_than 5 "$B" v1 rx_packets
}

test_changed()
{
	setup info 36 "$(number 1)" info 37 "$(number 2000)"
	options "$A" v0 \
		"32=00 33=01 34=00 35=00 36=$(number 1) 37=$(number 2000)"
	run "$PACKETS" -n "$A" v0 5 1000
	counts "$A" v0 tx_packets=2 tx_drop_rate=3
	rate info 36 "$(number 0)"
	options "$A" v0 "32=00 33=01 34=00 35=00"
	run "$PACKETS" -n "$A" v0 5 1000
	counts "$A" v0 tx_packets=7 tx_drop_rate=3
	# Another attribute leaves it as it is.
	rate info 36 "$(number 7)"
	rate info 33 00
	options "$A" v0 \
		"32=00 33=00 34=00 35=00 36=$(number 7) 37=$(number 2000)"
}

test_refused()
{
	setup
	refused "EINVAL info: A burst means something only with a rate" \
		"$NEWLINK" -n "$A" set v0 kind vnveth info 37 "$(number 9000)"
	refused "ERANGE info" "$NEWLINK" -n "$A" set v0 kind vnveth \
		info 36 "$(number 9)" info 37 "$(number 1513)"
	options "$A" v0 "32=00 33=01 34=00 35=00"
}

# The bucket has one lock, and two CPUs want it.
test_two_senders()
{
	local pids=() cpu

	setup
	rate info 36 "$(number 1)" info 37 "$(number 50000)"
	for cpu in 1 2; do
		start "sender$cpu" "$PACKETS" -n "$A" v0 500 1000
		pids+=("$PID")
	done
	ended sender1 "${pids[0]}" 30
	ended sender2 "${pids[1]}" 30
	counts "$A" v0 tx_packets=50 tx_drop_rate=950
}

subtests \
	burst "so many at once, and no more" \
	sizes "bytes are what counts" \
	other_end "the other end has a bucket of its own" \
	fast "a rate that is never reached" \
	refill "what was spent comes back with time" \
	changed "given at creation, changed, taken away" \
	refused "what cannot be, and why" \
	two_senders "two at once"
