// SPDX-License-Identifier: GPL-2.0
/*
 * What a program could use instead of a ring of vntap, by sharing memory with
 * the kernel too: a packet socket with rings (TPACKET_V3), or AF_XDP in copy
 * mode, at an end of a veth pair.
 *
 *	program --> socket --> near0 ==== far0 --> stack, which drops
 *	generator --> near0 ==== far0 --> socket --> program
 *
 * Ours is a vntap with rings, as the workloads ring-* have it: there, the program
 * is where the pair's other end is. Whoever sends writes each frame, and whoever
 * receives copies each frame out of the ring, on both sides.
 */
#include "bench.h"

#include "../../selftests/bpf.h"

#include <sys/mman.h>

#include <linux/if_xdp.h>

/* As many as a round has between two looks at the sink, and as many again */
#define FRAMES		(2 * CHUNK)
#define FRAME		2048
#define RING		(FRAMES * FRAME)	/* bytes, as those of ours */
#define BLOCK		(RING / 16)
#define RETIRE		1			/* ms: a block that is not full */

/* Those of AF_XDP: parts of the memory to receive into, those that were sent */
enum { FILL, DONE, RECV, SEND, RINGS };

/* One of them, and how far this side has come */
struct ring {
	__u32		*producer, *consumer;
	void		*entries;
	__u32		at;
	unsigned char	*map;
	size_t		size;
};

/**
 * struct rival - the in-tree side
 * @far: interface at the other end
 * @fd: of the socket
 * @memory: that it shares with the kernel
 * @at: which frame, or block, of it is next
 * @first: of the frames of that block, those that were not taken yet
 * @left: how many these are
 * @rings: of AF_XDP
 * @got: how many frames the program has got in this part of a round
 * @buffers: where it has the last of them
 */
struct rival {
	unsigned int		far;
	int			fd;
	unsigned char		*memory;
	unsigned int		at, left, got;
	struct tpacket3_hdr	*first;
	struct ring		rings[RINGS];
	unsigned char		buffers[BATCH][FRAME];
};

static void rival_open(struct run *run)
{
	struct rival *rival = allocate(sizeof(*rival));

	pair_open(run);
	free(run->data);
	run->data = rival;
	enter_ns(far_ns);
	rival->far = index_of("peerfar0");
	enter_ns(near_ns);
}

static void rival_close(struct run *run)
{
	struct rival *rival = run->data;
	unsigned int i;

	if (run->side == OURS) {
		tap_close(run);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(rival->rings); i++)
		if (rival->rings[i].map)
			munmap(rival->rings[i].map, rival->rings[i].size);
	munmap(rival->memory, RING);
	close(rival->fd);
	pair_close(run);
}

static void set(int fd, int level, int option, const void *value, int size,
		const char *what)
{
	if (setsockopt(fd, level, option, value, size))
		die(what);
}

/* Frames that go to the stack at the other end, which counts them */
static void rival_send(struct run *run, void (*batch)(struct run *run))
{
	struct rival *rival = run->data;
	struct arrivals before;
	unsigned int i, j;

	for (i = 0; i < run->work->count; i += CHUNK) {
		before = arrivals_now(far_ns, rival->far);
		clock_start(run);
		for (j = 0; j < CHUNK; j += BATCH)
			batch(run);
		clock_stop(run);
		arrivals_check(run, far_ns, rival->far, run->far_sock, before,
			       CHUNK);
	}
}

/* Sleeps until the socket has something. */
static void rival_wait(struct run *run)
{
	struct rival *rival = run->data;
	struct pollfd ready = { .fd = rival->fd, .events = POLLIN };

	if (poll(&ready, 1, PATIENCE) != 1 || !(ready.revents & POLLIN))
		give_up("%s: a frame did not come to the program", run->dev);
}

/* A frame into the program's memory */
static void rival_copy(struct run *run, const unsigned char *from,
		       unsigned int len)
{
	struct rival *rival = run->data;

	if (len != run->len)
		give_up("%s: a frame of %u bytes came, not of %u", run->dev,
			len, run->len);
	memcpy(rival->buffers[rival->got++ % BATCH], from, len);
}

/*
 * Frames that come to the program, which counts them. @batch takes as many as
 * there are, and no more than BATCH.
 */
static void rival_recv(struct run *run, void (*batch)(struct run *run))
{
	struct rival *rival = run->data;
	unsigned int i, j;

	for (i = 0; i < run->work->count; i += CHUNK) {
		rival->got = 0;
		generate(run, run->work->xmit, CHUNK, run->work->batch);
		clock_start(run);
		while (rival->got < CHUNK)
			batch(run);
		clock_stop(run);
		if (rival->got != CHUNK)
			give_up("%s: %u frames came, not %u", run->dev,
				rival->got, CHUNK);
		for (j = 0; j < BATCH; j++)
			if (memcmp(rival->buffers[j], run->frame, run->len))
				give_up("%s: a frame is not what was sent",
					run->dev);
		memset(rival->buffers, 0, sizeof(rival->buffers));
	}
}

/* ---------------------------------------------------------- TPACKET_V3 */

static void tpacket_ring(struct rival *rival, const char *dev, int option)
{
	struct tpacket_req3 req = {
		.tp_block_size = BLOCK, .tp_block_nr = RING / BLOCK,
		.tp_frame_size = FRAME, .tp_frame_nr = FRAMES,
		.tp_retire_blk_tov = option == PACKET_RX_RING ? RETIRE : 0,
	};
	int version = TPACKET_V3;

	rival->fd = packet_socket(dev, option == PACKET_RX_RING);
	set(rival->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version),
	    "PACKET_VERSION");
	set(rival->fd, SOL_PACKET, option, &req, sizeof(req), "TPACKET_V3");
	rival->memory = mmap(NULL, RING, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_POPULATE, rival->fd, 0);
	if (rival->memory == MAP_FAILED)
		die("TPACKET_V3");
}

static void tpacket_send_open(struct run *run)
{
	struct rival *rival;
	int one = 1;

	if (run->side == OURS) {
		tap_open(run);
		return;
	}
	rival_open(run);
	tpacket_ring(run->data, run->dev, PACKET_TX_RING);
	rival = run->data;
	set(rival->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one),
	    "PACKET_QDISC_BYPASS");
}

static void tpacket_recv_open(struct run *run)
{
	if (run->side == OURS) {
		tap_open_read(run);
		return;
	}
	rival_open(run);
	enter_ns(far_ns);
	tpacket_ring(run->data, "peerfar0", PACKET_RX_RING);
	enter_ns(near_ns);
}

static void tpacket_send_batch(struct run *run)
{
	struct rival *rival = run->data;
	struct tpacket3_hdr *head;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		head = (void *)(rival->memory + rival->at * FRAME);
		if (__atomic_load_n(&head->tp_status, __ATOMIC_ACQUIRE) !=
		    TP_STATUS_AVAILABLE)
			give_up("%s: a frame has not been sent", run->dev);
		memcpy((unsigned char *)head + TPACKET3_HDRLEN -
		       sizeof(struct sockaddr_ll), run->frame, run->len);
		head->tp_next_offset = 0;
		head->tp_len = run->len;
		__atomic_store_n(&head->tp_status, TP_STATUS_SEND_REQUEST,
				 __ATOMIC_RELEASE);
		rival->at = (rival->at + 1) % FRAMES;
	}
	/* Until the other end is done with them */
	if (send(rival->fd, NULL, 0, 0) != (ssize_t)(BATCH * run->len))
		die("send");
}

static void tpacket_send_round(struct run *run)
{
	if (run->side == OURS)
		tap_write(run);
	else
		rival_send(run, tpacket_send_batch);
}

static struct tpacket_hdr_v1 *tpacket_block(struct rival *rival)
{
	struct tpacket_block_desc *block;

	block = (void *)(rival->memory + rival->at * BLOCK);
	return &block->hdr.bh1;
}

/* The next block is the program's once it is full, or old. */
static void tpacket_block_wait(struct run *run)
{
	struct rival *rival = run->data;
	struct tpacket_hdr_v1 *block = tpacket_block(rival);

	while (!(__atomic_load_n(&block->block_status, __ATOMIC_ACQUIRE) &
		 TP_STATUS_USER))
		rival_wait(run);
	rival->left = block->num_pkts;
	rival->first = (void *)(rival->memory + rival->at * BLOCK +
				block->offset_to_first_pkt);
}

static void tpacket_recv_batch(struct run *run)
{
	struct rival *rival = run->data;
	unsigned char *frame;
	unsigned int i;

	if (!rival->left)
		tpacket_block_wait(run);
	for (i = 0; i < BATCH && rival->left; i++, rival->left--) {
		frame = (void *)rival->first;
		rival_copy(run, frame + rival->first->tp_mac,
			   rival->first->tp_snaplen);
		rival->first = (void *)(frame + rival->first->tp_next_offset);
	}
	if (!rival->left) {
		__atomic_store_n(&tpacket_block(rival)->block_status,
				 TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		rival->at = (rival->at + 1) % (RING / BLOCK);
	}
}

static void tpacket_recv_round(struct run *run)
{
	if (run->side == OURS)
		tap_read(run);
	else
		rival_recv(run, tpacket_recv_batch);
}

/* -------------------------------------------------------------- AF_XDP */

static void xsk_ring(struct rival *rival, int which, off_t offset,
		     const struct xdp_ring_offset *at, size_t size)
{
	struct ring *ring = &rival->rings[which];

	ring->size = at->desc + FRAMES * size;
	ring->map = mmap(NULL, ring->size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, rival->fd, offset);
	if (ring->map == MAP_FAILED)
		die("a ring of AF_XDP");
	ring->producer = (void *)(ring->map + at->producer);
	ring->consumer = (void *)(ring->map + at->consumer);
	ring->entries = ring->map + at->desc;
}

static void xsk_socket(struct run *run, const char *dev, bool receive)
{
	struct rival *rival = run->data;
	struct xdp_umem_reg reg = { .len = RING, .chunk_size = FRAME };
	struct sockaddr_xdp at = {
		.sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY,
		.sxdp_ifindex = index_of(dev),
	};
	struct xdp_mmap_offsets offsets;
	socklen_t size = sizeof(offsets);
	const int entries = FRAMES;

	rival->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	rival->memory = mmap(NULL, RING, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (rival->fd < 0 || rival->memory == MAP_FAILED)
		die("AF_XDP");
	reg.addr = (uintptr_t)rival->memory;
	set(rival->fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg),
	    "XDP_UMEM_REG");
	set(rival->fd, SOL_XDP, XDP_UMEM_FILL_RING, &entries, sizeof(entries),
	    "XDP_UMEM_FILL_RING");
	set(rival->fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &entries,
	    sizeof(entries), "XDP_UMEM_COMPLETION_RING");
	set(rival->fd, SOL_XDP, receive ? XDP_RX_RING : XDP_TX_RING, &entries,
	    sizeof(entries), "XDP_RX_RING, XDP_TX_RING");
	if (getsockopt(rival->fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size))
		die("XDP_MMAP_OFFSETS");
	xsk_ring(rival, FILL, XDP_UMEM_PGOFF_FILL_RING, &offsets.fr,
		 sizeof(__u64));
	xsk_ring(rival, DONE, XDP_UMEM_PGOFF_COMPLETION_RING,
		 &offsets.cr, sizeof(__u64));
	if (receive)
		xsk_ring(rival, RECV, XDP_PGOFF_RX_RING, &offsets.rx,
			 sizeof(struct xdp_desc));
	else
		xsk_ring(rival, SEND, XDP_PGOFF_TX_RING, &offsets.tx,
			 sizeof(struct xdp_desc));
	if (bind(rival->fd, (void *)&at, sizeof(at)))
		die("XDP_COPY");
}

/* What the program at the interface of this socket sees goes to the socket. */
static int xsk_program(struct rival *rival)
{
	int map = bpf_map(BPF_MAP_TYPE_XSKMAP, sizeof(rival->fd), 1);
	int error;

	if (map < 0)
		return map;
	error = bpf_map_set(map, 0, &rival->fd);
	if (error)
		return error;
	return BPF(BPF_PROG_TYPE_XDP,
		   LOAD_MAP(BPF_REG_1, map),
		   LOAD_MAP_END(),
		   MOVE_IMM(BPF_REG_2, 0),
		   MOVE_IMM(BPF_REG_3, XDP_DROP),
		   CALL(BPF_FUNC_redirect_map),
		   EXIT());
}

static void xsk_send_open(struct run *run)
{
	if (run->side == OURS) {
		tap_open(run);
		return;
	}
	rival_open(run);
	xsk_socket(run, run->dev, false);
}

static void xsk_recv_open(struct run *run)
{
	struct rival *rival;
	struct ring *fill;

	if (run->side == OURS) {
		tap_open_read(run);
		return;
	}
	rival_open(run);
	rival = run->data;
	fill = &rival->rings[FILL];
	enter_ns(far_ns);
	xsk_socket(run, "peerfar0", true);
	for (; fill->at < FRAMES; fill->at++)
		((__u64 *)fill->entries)[fill->at] = fill->at * FRAME;
	__atomic_store_n(fill->producer, fill->at, __ATOMIC_RELEASE);
	/* By the driver it takes more, but for bursts on 6.12. */
	link_xdp(rival->far, xsk_program(rival), XDP_FLAGS_SKB_MODE);
	enter_ns(near_ns);
}

/* The kernel takes as many as it likes with one call. */
static void xsk_wake(struct rival *rival)
{
	struct ring *ring = &rival->rings[SEND];

	while (__atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE) != ring->at)
		if (sendto(rival->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 &&
		    errno != EAGAIN)
			die("sendto");
}

static void xsk_send_batch(struct run *run)
{
	struct rival *rival = run->data;
	struct ring *ring = &rival->rings[SEND], *done = &rival->rings[DONE];
	struct xdp_desc *desc;
	unsigned int i;

	for (i = 0; i < BATCH; i++, ring->at++) {
		desc = (struct xdp_desc *)ring->entries + ring->at % FRAMES;
		desc->addr = ring->at % FRAMES * FRAME;
		desc->len = run->len;
		desc->options = 0;
		memcpy(rival->memory + desc->addr, run->frame, run->len);
	}
	__atomic_store_n(ring->producer, ring->at, __ATOMIC_RELEASE);
	xsk_wake(rival);
	/* The memory is the program's again once the other end is done. */
	while (__atomic_load_n(done->producer, __ATOMIC_ACQUIRE) != ring->at)
		sched_yield();
	__atomic_store_n(done->consumer, ring->at, __ATOMIC_RELEASE);
}

static void xsk_send_round(struct run *run)
{
	if (run->side == OURS)
		tap_write(run);
	else
		rival_send(run, xsk_send_batch);
}

static void xsk_recv_batch(struct run *run)
{
	struct rival *rival = run->data;
	struct ring *ring = &rival->rings[RECV], *fill = &rival->rings[FILL];
	struct xdp_desc *desc;
	unsigned int i, count;

	count = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) - ring->at;
	if (!count)
		rival_wait(run);
	if (count > BATCH)
		count = BATCH;
	for (i = 0; i < count; i++) {
		desc = (struct xdp_desc *)ring->entries + ring->at++ % FRAMES;
		rival_copy(run, rival->memory + desc->addr, desc->len);
		((__u64 *)fill->entries)[fill->at++ % FRAMES] = desc->addr;
	}
	__atomic_store_n(ring->consumer, ring->at, __ATOMIC_RELEASE);
	__atomic_store_n(fill->producer, fill->at, __ATOMIC_RELEASE);
}

static void xsk_recv_round(struct run *run)
{
	if (run->side == OURS)
		tap_read(run);
	else
		rival_recv(run, xsk_recv_batch);
}

#define RIVAL(n, to, socket, way, how) {				\
	.name = n, .count = 1024, .open = socket ## _ ## way ## _open,	\
	.round = socket ## _ ## way ## _round, .close = rival_close,	\
	.size = SMALL, .sink = to, .batch = BATCH, .mode = WITH_RINGS,	\
	.xmit = how }

const struct workload rival_workloads[] = {
	RIVAL("tpacket-send-60", SINK_OTHER, tpacket, send, 0),
	RIVAL("tpacket-recv-60", SINK_DROP, tpacket, recv, BENCH_SINGLE),
	RIVAL("tpacket-recv-60-burst", SINK_DROP, tpacket, recv, BENCH_BURST),
	RIVAL("xsk-send-60", SINK_OTHER, xsk, send, 0),
	RIVAL("xsk-recv-60", SINK_DROP, xsk, recv, BENCH_SINGLE),
	RIVAL("xsk-recv-60-burst", SINK_DROP, xsk, recv, BENCH_BURST),
	{ }
};
