#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A pair never delivers in the sender's context.
#
#      namespace CLIENT                   namespace SERVER
#   nagle (many sockets)               nagle (many sockets)
#            |                                  |
#      v0 10.77.0.1/24 ====== pair ====== v1 10.77.0.2/24
#
# Two sockets that answer each other inside one call meet on one lock and
# never return (nagle.c says how): the hand-over has to go through a
# softirq of its own. A driver that gets this wrong hangs a CPU here, so a
# failure is a deadline that passes, or a soft lockup in the kernel's log.

. "$(dirname "$0")/lib.sh"
need_kind "$VNVETH"
need_helpers newlink nagle

pair()
{
	setup_ns CLIENT SERVER
	setup_pair "$CLIENT" "$SERVER"
}

# exchange CLIENT SERVER ADDRESS CONNECTIONS ROUNDS SECONDS
exchange()
{
	local out wanted=$(($4 * $5))

	capture out timeout -k 5 $(($6 + 10)) "$NAGLE" "$@"
	note "$out"
	[[ $out == *"$wanted exchanges"* ]] ||
		fail "not all $wanted exchanges were made"
	[[ $out =~ ([0-9]+)" delayed" ]] || fail "no count of delayed ACKs"
	# The first few of a connection are acknowledged at once, and on a kernel
	# that is slow most have their answer before the delay is over.
	((BASH_REMATCH[1] * 2 * ${VNIC_PATIENCE:-1} > wanted)) ||
		fail "only ${BASH_REMATCH[1]} ACKs were delayed: the test" \
		     "does not go where the deadlock is"
}

test_one()
{
	pair
	exchange "$CLIENT" "$SERVER" 10.77.0.2 1 30 40
}

test_many()
{
	pair
	exchange "$CLIENT" "$SERVER" 10.77.0.2 200 25 60
}

# Both ends hold locks of their own when they send: neither may wait for
# the other.
test_both_ways()
{
	pair
	start forth timeout -k 5 60 \
		"$NAGLE" "$CLIENT" "$SERVER" 10.77.0.2 100 20 50
	local forth=$PID
	start back timeout -k 5 60 \
		"$NAGLE" "$SERVER" "$CLIENT" 10.77.0.1 100 20 50
	local back=$PID
	ended forth "$forth" 70
	is "$STATUS" 0 "status of 'forth'"
	ended back "$back" 70
	is "$STATUS" 0 "status of 'back'"
}

subtests \
	one "one connection, 30 exchanges that wait for a delayed ACK" \
	many "200 connections, 5,000 exchanges" \
	both_ways "100 connections each way at once, 4,000 exchanges"
