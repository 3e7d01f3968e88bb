/* SPDX-License-Identifier: GPL-2.0 */
/*
 * io_uring by hand, as far as the tests need it.
 */
#ifndef FD_RING_H
#define FD_RING_H

#include "fd.h"

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define ENTRIES		8

/* The two queues, as far as they are needed here */
struct ring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned char sqe_flags;	/* of each operation */
	bool wakeup;			/* a kernel thread reads the queue */
};

static inline int ring_open(struct ring *ring, unsigned int flags)
{
	struct io_uring_params p = { .flags = flags };
	unsigned char *sq, *cq;
	size_t sq_size, cq_size;

	memset(ring, 0, sizeof(*ring));
	ring->wakeup = flags & IORING_SETUP_SQPOLL;
	ring->fd = syscall(SYS_io_uring_setup, ENTRIES, &p);
	if (ring->fd < 0)
		return -EOPNOTSUPP;
	sq_size = p.sq_off.array + p.sq_entries * sizeof(unsigned int);
	cq_size = p.cq_off.cqes + p.cq_entries * sizeof(*ring->cqes);
	sq = mmap(NULL, sq_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
		  IORING_OFF_SQ_RING);
	cq = mmap(NULL, cq_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
		  IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, p.sq_entries * sizeof(*ring->sqes),
			  PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			  IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || ring->sqes == MAP_FAILED)
		return -errno;
	ring->sq_tail = (void *)sq + p.sq_off.tail;
	ring->sq_mask = (void *)sq + p.sq_off.ring_mask;
	ring->sq_array = (void *)sq + p.sq_off.array;
	ring->cq_head = (void *)cq + p.cq_off.head;
	ring->cq_tail = (void *)cq + p.cq_off.tail;
	ring->cq_mask = (void *)cq + p.cq_off.ring_mask;
	ring->cqes = (void *)cq + p.cq_off.cqes;
	return 0;
}

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

#endif
