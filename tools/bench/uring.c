// SPDX-License-Identifier: GPL-2.0
/*
 * The character device by way of io_uring: as many reads or writes as the ring
 * has room for, with one system call.
 */
#include "bench.h"

#include "../../selftests/uring.h"

struct batch {
	struct ring	ring;
	unsigned char	buffers[BATCH][2048];
};

static void batch_open(struct run *run)
{
	struct batch *batch = allocate(sizeof(*batch));

	tap_open(run);
	free(run->data);
	run->data = batch;
	if (ring_open(&batch->ring, BATCH, 0))
		die("io_uring");
}

static void batch_close(struct run *run)
{
	ring_close(&((struct batch *)run->data)->ring);
	tap_close(run);
}

/* Submits a ring full, and waits until all of it is done. */
static void ring_full(struct run *run, int opcode)
{
	struct batch *batch = run->data;
	struct ring *ring = &batch->ring;
	unsigned int i, index, tail = *ring->sq_tail, head = *ring->cq_head;
	bool reads = opcode == IORING_OP_READ;

	for (i = 0; i < BATCH; i++, tail++) {
		index = tail & *ring->sq_mask;
		ring->sqes[index] = (struct io_uring_sqe) {
			.opcode = opcode, .fd = run->fd, .off = -1ULL,
			.addr = (uintptr_t)(reads ? batch->buffers[i] :
					    run->frame),
			.len = reads ? sizeof(batch->buffers[i]) : run->len,
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
	.name = n, .count = 1024, .open = batch_open, .round = r,	\
	.close = batch_close, .size = SMALL, .sink = to,			\
	.batch = BATCH, .mode = NONBLOCK }

const struct workload uring_workloads[] = {
	URING("uring-write-60", write_round, SINK_DROP),
	URING("uring-read-60", read_round, SINK_UDP),
	{ }
};
