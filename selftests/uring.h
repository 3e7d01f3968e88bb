/* SPDX-License-Identifier: GPL-2.0 */
/*
 * io_uring by hand: its two queues, mapped. For the tests and the benchmark.
 */
#ifndef URING_H
#define URING_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/io_uring.h>

struct ring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	size_t sizes[3];		/* of what is mapped */
	unsigned char *maps[3];
	unsigned char sqe_flags;	/* of each operation */
	bool wakeup;			/* a kernel thread reads the queue */
};

static inline unsigned char *ring_map(struct ring *ring, int which, size_t size,
				      off_t offset)
{
	ring->sizes[which] = size;
	ring->maps[which] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
				 ring->fd, offset);
	return ring->maps[which];
}

/* 0, -EOPNOTSUPP for a kernel without it, or another -errno */
static inline int ring_open(struct ring *ring, unsigned int entries,
			    unsigned int flags)
{
	struct io_uring_params p = { .flags = flags };
	unsigned char *sq, *cq;

	memset(ring, 0, sizeof(*ring));
	ring->wakeup = flags & IORING_SETUP_SQPOLL;
	ring->fd = syscall(SYS_io_uring_setup, entries, &p);
	if (ring->fd < 0)
		return -EOPNOTSUPP;
	sq = ring_map(ring, 0, p.sq_off.array +
		      p.sq_entries * sizeof(unsigned int), IORING_OFF_SQ_RING);
	cq = ring_map(ring, 1, p.cq_off.cqes +
		      p.cq_entries * sizeof(*ring->cqes), IORING_OFF_CQ_RING);
	ring->sqes = (void *)ring_map(ring, 2,
				      p.sq_entries * sizeof(*ring->sqes),
				      IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || ring->sqes == MAP_FAILED)
		return -errno;
	ring->sq_tail = (void *)(sq + p.sq_off.tail);
	ring->sq_mask = (void *)(sq + p.sq_off.ring_mask);
	ring->sq_array = (void *)(sq + p.sq_off.array);
	ring->cq_head = (void *)(cq + p.cq_off.head);
	ring->cq_tail = (void *)(cq + p.cq_off.tail);
	ring->cq_mask = (void *)(cq + p.cq_off.ring_mask);
	ring->cqes = (void *)(cq + p.cq_off.cqes);
	return 0;
}

static inline void ring_close(struct ring *ring)
{
	int i;

	for (i = 0; i < 3; i++)
		munmap(ring->maps[i], ring->sizes[i]);
	close(ring->fd);
}

#endif
