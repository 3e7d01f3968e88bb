/* SPDX-License-Identifier: GPL-2.0 */
/*
 * io_uring on a device: one operation at a time, and a device whose packets wait.
 */
#ifndef FD_URING_H
#define FD_URING_H

#include "fd.h"
#include "uring.h"

#define ENTRIES		8

/* Submits one operation, which is known by @data when it completes. */
static inline int ring_submit(struct ring *ring, int opcode, int fd,
			      void *address, int len, __u64 data)
{
	unsigned int tail = *ring->sq_tail, index = tail & *ring->sq_mask;

	ring->sqes[index] = (struct io_uring_sqe) {
		.opcode = opcode, .fd = fd,
		/* Where a socket has it, there has to be none. */
		.off = opcode == IORING_OP_SENDMSG ||
		       opcode == IORING_OP_SEND ||
		       opcode == IORING_OP_RECV ? 0 : -1ULL,
		.flags = ring->sqe_flags,
		.addr = (unsigned long)address, .len = len, .user_data = data,
	};
	ring->sq_array[index] = index;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	return neg(syscall(SYS_io_uring_enter, ring->fd, 1, 0,
			   ring->wakeup ? IORING_ENTER_SQ_WAKEUP : 0, NULL, 0));
}

static inline bool ring_ready(struct ring *ring)
{
	/* Work that is to be done in our name is done when we enter. */
	syscall(SYS_io_uring_enter, ring->fd, 0, 0, IORING_ENTER_GETEVENTS,
		NULL, 0);
	return *ring->cq_head != __atomic_load_n(ring->cq_tail,
						 __ATOMIC_ACQUIRE);
}

/* The result of the next that completes; -ETIME if none does. */
static inline int ring_complete(struct ring *ring, __u64 *data)
{
	struct io_uring_cqe *cqe;
	int result;

	if (!WAIT_FOR(ring_ready(ring)))
		return -ETIME;
	cqe = &ring->cqes[*ring->cq_head & *ring->cq_mask];
	result = cqe->res;
	if (data)
		*data = cqe->user_data;
	__atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
	return result;
}

/*
 * What comes in by @dev waits in the qdisc of another device, on the account of
 * who has sent it, until that one is read. -EOPNOTSUPP: that cannot be had here.
 */
static inline int held_open(struct nic *held, const char *dev, int mode)
{
	int result = nic_open(held, "held", mode | IFF_NO_PI | IFF_BACKPRESSURE,
			      O_NONBLOCK) ?:
		     if_set("held", SIOCSIFTXQLEN, 4) ?: if_up("held");

	if (result)
		return result;
	if (shell("tc qdisc replace dev held root pfifo limit 1000", "") ||
	    shell("tc qdisc add dev %s clsact", dev) ||
	    shell("tc filter add dev %s ingress matchall action mirred egress redirect dev held",
		  dev))
		return -EOPNOTSUPP;
	return 0;
}

#endif
