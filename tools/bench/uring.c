// SPDX-License-Identifier: GPL-2.0
/*
 * The character device by way of io_uring: as many reads or writes as the ring
 * has room for, with one system call.
 */
#include "bench.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <linux/io_uring.h>

struct ring {
	int			fd;
	unsigned int		*sq_tail, *sq_mask, *sq_array;
	unsigned int		*cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe	*sqes;
	struct io_uring_cqe	*cqes;
	size_t			sizes[3];
	unsigned char		*maps[3];
	unsigned char		buffers[BATCH][2048];
};

static unsigned char *ring_map(struct ring *ring, int which, size_t size,
			       off_t offset)
{
	ring->sizes[which] = size;
	ring->maps[which] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
				 ring->fd, offset);
	if (ring->maps[which] == MAP_FAILED)
		die("io_uring");
	return ring->maps[which];
}

static void ring_open(struct run *run)
{
	struct io_uring_params p = {};
	struct ring *ring = allocate(sizeof(*ring));
	unsigned char *sq, *cq;

	tap_open(run);
	free(run->data);
	run->data = ring;
	ring->fd = syscall(SYS_io_uring_setup, BATCH, &p);
	if (ring->fd < 0)
		die("io_uring_setup");
	sq = ring_map(ring, 0, p.sq_off.array +
		      p.sq_entries * sizeof(unsigned int), IORING_OFF_SQ_RING);
	cq = ring_map(ring, 1, p.cq_off.cqes +
		      p.cq_entries * sizeof(*ring->cqes), IORING_OFF_CQ_RING);
	ring->sqes = (void *)ring_map(ring, 2,
				      p.sq_entries * sizeof(*ring->sqes),
				      IORING_OFF_SQES);
	ring->sq_tail = (void *)(sq + p.sq_off.tail);
	ring->sq_mask = (void *)(sq + p.sq_off.ring_mask);
	ring->sq_array = (void *)(sq + p.sq_off.array);
	ring->cq_head = (void *)(cq + p.cq_off.head);
	ring->cq_tail = (void *)(cq + p.cq_off.tail);
	ring->cq_mask = (void *)(cq + p.cq_off.ring_mask);
	ring->cqes = (void *)(cq + p.cq_off.cqes);
}

static void ring_close(struct run *run)
{
	struct ring *ring = run->data;
	int i;

	for (i = 0; i < 3; i++)
		munmap(ring->maps[i], ring->sizes[i]);
	close(ring->fd);
	tap_close(run);
}

/* Submits a ring full, and waits until all of it is done. */
static void ring_full(struct run *run, int opcode)
{
	struct ring *ring = run->data;
	unsigned int i, index, tail = *ring->sq_tail, head = *ring->cq_head;
	bool reads = opcode == IORING_OP_READ;

	for (i = 0; i < BATCH; i++, tail++) {
		index = tail & *ring->sq_mask;
		ring->sqes[index] = (struct io_uring_sqe) {
			.opcode = opcode, .fd = run->fd, .off = -1ULL,
			.addr = (uintptr_t)(reads ? ring->buffers[i] :
					    run->frame),
			.len = reads ? sizeof(ring->buffers[i]) : run->len,
		};
		ring->sq_array[index] = index;
	}
	__atomic_store_n(ring->sq_tail, tail, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, BATCH, BATCH,
		    IORING_ENTER_GETEVENTS, NULL, 0) != BATCH ||
	    __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) - head != BATCH)
		die("io_uring_enter");
	for (i = 0; i < BATCH; i++, head++)
		if (ring->cqes[head & *ring->cq_mask].res != (int)run->len)
			give_up("%s: io_uring says %d of a frame", run->dev,
				ring->cqes[head & *ring->cq_mask].res);
	__atomic_store_n(ring->cq_head, head, __ATOMIC_RELEASE);
}

static void write_round(struct run *run)
{
	struct arrivals before;
	unsigned int i, j;

	for (i = 0; i < run->work->count; i += CHUNK) {
		before = arrivals_now(near_ns, run->index);
		clock_start(run);
		for (j = 0; j < CHUNK; j += BATCH)
			ring_full(run, IORING_OP_WRITE);
		clock_stop(run);
		arrivals_check(run, near_ns, run->index, run->sock, before,
			       CHUNK);
	}
}

static void read_round(struct run *run)
{
	unsigned int i, j;

	for (i = 0; i < run->work->count; i += CHUNK) {
		generate(run, BENCH_SINGLE, CHUNK, 0);
		clock_start(run);
		for (j = 0; j < CHUNK; j += BATCH)
			ring_full(run, IORING_OP_READ);
		clock_stop(run);
	}
}

#define URING(n, r, to) {						\
	.name = n, .count = 1024, .open = ring_open, .round = r,	\
	.close = ring_close, .size = SMALL, .sink = to,			\
	.batch = BATCH, .mode = NONBLOCK }

const struct workload uring_workloads[] = {
	URING("uring-write-60", write_round, SINK_DROP),
	URING("uring-read-60", read_round, SINK_UDP),
	{ }
};
