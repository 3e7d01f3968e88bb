/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What vnic_bench.ko and the program that uses it have in common: ioctls on
 * /sys/kernel/debug/vnic_bench.
 */
#ifndef VNIC_BENCH_H
#define VNIC_BENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * enum bench_mode - how the packets are handed to the device
 * @BENCH_SINGLE: dev_queue_xmit() of each from process context, as a socket does
 * @BENCH_BURST: dev_queue_xmit() of @burst of them with bottom halves off, as
 *	forwarding does
 * @BENCH_START: ndo_start_xmit() of @burst of them, each but the last with word
 *	that more is to come, as a qdisc does
 */
enum bench_mode {
	BENCH_SINGLE,
	BENCH_BURST,
	BENCH_START,
};

/**
 * enum bench_mark - what tools/bench/plugin.c is to count from here on
 * @BENCH_MARK_PEER: the in-tree side's instructions
 * @BENCH_MARK_OURS: ours
 * @BENCH_MARK_NONE: none
 */
enum bench_mark {
	BENCH_MARK_PEER,
	BENCH_MARK_OURS,
	BENCH_MARK_NONE,
};

#define BENCH_MARK	0x7e57be00

/* An instruction that does nothing, but is known by its number */
static inline void bench_mark(enum bench_mark mark)
{
	switch (mark) {
	case BENCH_MARK_PEER:
		__asm__ volatile("nopl %c0(%%rax)" : :
				 "i" (BENCH_MARK + BENCH_MARK_PEER));
		break;
	case BENCH_MARK_OURS:
		__asm__ volatile("nopl %c0(%%rax)" : :
				 "i" (BENCH_MARK + BENCH_MARK_OURS));
		break;
	default:
		__asm__ volatile("nopl %c0(%%rax)" : :
				 "i" (BENCH_MARK + BENCH_MARK_NONE));
		break;
	}
}

#define BENCH_FRAME_MAX	9000
#define BENCH_COUNT_MAX	4096

/**
 * struct bench_xmit - send packets by one device, and measure that
 * @frame: address of the frame that each of them is
 * @len: its bytes
 * @ifindex: the device, in the namespace of the caller
 * @count: how many
 * @burst: see &enum bench_mode
 * @mode: &enum bench_mode
 * @mark: &enum bench_mark, while the clock runs
 * @refused: out: how many of them the device or its queue refused
 * @unused: 0
 * @ns: out: from the first packet until nothing is left to do for softirqs on
 *	this processor
 */
struct bench_xmit {
	__aligned_u64	frame;
	__u32		len;
	__u32		ifindex;
	__u32		count;
	__u32		burst;
	__u32		mode;
	__u32		mark;
	__u32		refused;
	__u32		unused;
	__aligned_u64	ns;
};

#define BENCH_XMIT	_IOWR('B', 1, struct bench_xmit)

/* Nanoseconds that all processors together have been idle, as a __u64 */
#define BENCH_IDLE	_IOR('B', 2, __u64)

#endif
