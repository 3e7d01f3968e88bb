// SPDX-License-Identifier: GPL-2.0
/*
 * Pairs, veth and vnveth, from one namespace into another.
 *
 *	generator --> near0 ==== far0 --> stack, or an XDP program
 *	sockets   <-> near0 ==== far0 <-> sockets
 *
 * For XDP_REDIRECT there is a second pair:
 *
 *	generator --> near0 ==== far0 --> far1 ==== near1, which drops
 *
 * Each program counts what it sees. An end that gets what XDP_TX or XDP_REDIRECT
 * has sent needs a program of its own, or the driver drops all of it: that one
 * counts and drops.
 */
#include "bench.h"

#include "../../selftests/bpf.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#define DATA		18
#define STREAM		65536

struct pair {
	unsigned int	far, near1, far1;	/* interfaces */
	int		map;			/* of the last program */
	char		far_dev[IFNAMSIZ];
	struct mmsghdr	messages[BATCH];
	struct iovec	vectors[BATCH];
	char		buffers[BATCH][64];
	char		stream[STREAM];
};

static void link_both(struct run *run, const char *near, const char *far,
		      unsigned int *near_index, unsigned int *far_index)
{
	link_new(run->side == OURS ? "vnveth" : "veth", near, far);
	*near_index = index_of(near);
	shell("ip link set dev %s up", near);
	enter_ns(far_ns);
	*far_index = index_of(far);
	shell("ip link set dev %s up", far);
	enter_ns(near_ns);
}

void pair_open(struct run *run)
{
	static const unsigned char other[] = { 2, 0, 0, 0, 0, 9 };
	struct pair *pair = allocate(sizeof(*pair));
	unsigned char near[ETH_ALEN], far[ETH_ALEN];
	int net = 1 + run->side;

	run->data = pair;
	snprintf(run->dev, sizeof(run->dev), "%s0",
		 side_name(run));
	snprintf(pair->far_dev, sizeof(pair->far_dev), "%sfar0",
		 side_name(run));
	link_both(run, run->dev, pair->far_dev, &run->index, &pair->far);
	mac_of(run->dev, near);
	enter_ns(far_ns);
	mac_of(pair->far_dev, far);
	shell("ip -batch - <<END\n"
	      "addr add 10.%d.0.2/24 dev %s\n"
	      "neigh replace 10.%d.0.1 lladdr %02x:%02x:%02x:%02x:%02x:%02x dev %s\n"
	      "END", net, pair->far_dev, net, near[0], near[1], near[2],
	      near[3], near[4], near[5], pair->far_dev);
	run->far_sock = udp_socket(run, 2);
	enter_ns(near_ns);
	shell("ip -batch - <<END\n"
	      "addr add 10.%d.0.1/24 dev %s\n"
	      "neigh replace 10.%d.0.2 lladdr %02x:%02x:%02x:%02x:%02x:%02x dev %s\n"
	      "END", net, run->dev, net, far[0], far[1], far[2], far[3],
	      far[4], far[5], run->dev);
	run->sock = udp_socket(run, 1);
	udp_connect(run, run->sock, 2);
	make_frame(run, run->work->sink == SINK_OTHER ? other : far, near, 1,
		   2);
}

void pair_close(struct run *run)
{
	close(run->sock);
	close(run->far_sock);
	link_delete(run->index);
}

static void pair_round(struct run *run)
{
	struct pair *pair = run->data;
	struct arrivals before;
	unsigned int i;

	for (i = 0; i < run->work->count; i += CHUNK) {
		before = arrivals_now(far_ns, pair->far);
		generate(run, run->work->mode, CHUNK, run->work->batch);
		arrivals_check(run, far_ns, pair->far, run->far_sock, before,
			       CHUNK);
	}
}

/* ------------------------------------------------------------ sockets */

static void udp_open(struct run *run)
{
	struct pair *pair;
	unsigned int i;

	pair_open(run);
	pair = run->data;
	for (i = 0; i < BATCH; i++) {
		pair->vectors[i].iov_base = pair->buffers[i];
		pair->vectors[i].iov_len = DATA;
		pair->messages[i].msg_hdr.msg_iov = &pair->vectors[i];
		pair->messages[i].msg_hdr.msg_iovlen = 1;
	}
}

static void udp_round(struct run *run)
{
	struct pair *pair = run->data;
	unsigned int i;

	clock_start(run);
	for (i = 0; i < run->work->count; i += BATCH)
		if (sendmmsg(run->sock, pair->messages, BATCH, 0) != BATCH ||
		    recvmmsg(run->far_sock, pair->messages, BATCH, 0, NULL) !=
		    BATCH)
			die("sendmmsg, recvmmsg");
	clock_stop(run);
}

/* A connection to a process in the other namespace, who runs this. */
static void tcp_open(struct run *run, void (*server)(struct run *run))
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(10 << 24 | (1 + run->side) << 16 | 2),
	};
	int one = 1, listener;

	pair_open(run);
	close(run->sock);
	close(run->far_sock);
	enter_ns(far_ns);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	enter_ns(near_ns);
	run->sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || run->sock < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(listener, (void *)&at, sizeof(at)) || listen(listener, 1) ||
	    connect(run->sock, (void *)&at, sizeof(at)))
		die("connect");
	run->far_sock = accept(listener, NULL, NULL);
	if (run->far_sock < 0 ||
	    setsockopt(run->sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
	    setsockopt(run->far_sock, IPPROTO_TCP, TCP_NODELAY, &one,
		       sizeof(one)))
		die("accept");
	close(listener);
	child_start(run, server);
}

/*
 * At once: an end that waits for the other one would send it a packet once more,
 * by a later pair with the same addresses, whose packets are counted.
 */
static void tcp_close(struct run *run)
{
	const struct linger at_once = { .l_onoff = 1 };

	if (setsockopt(run->sock, SOL_SOCKET, SO_LINGER, &at_once,
		       sizeof(at_once)) ||
	    setsockopt(run->far_sock, SOL_SOCKET, SO_LINGER, &at_once,
		       sizeof(at_once)))
		die("SO_LINGER");
	child_stop(run);
	pair_close(run);
}

static void answer(struct run *run)
{
	char byte;

	while (recv(run->far_sock, &byte, 1, 0) == 1)
		if (send(run->far_sock, &byte, 1, MSG_NOSIGNAL) != 1)
			break;
}

static void rr_open(struct run *run)
{
	tcp_open(run, answer);
}

static void rr_round(struct run *run)
{
	unsigned int i;
	char byte = 0;

	clock_start(run);
	for (i = 0; i < run->work->count; i++)
		if (send(run->sock, &byte, 1, MSG_NOSIGNAL) != 1 ||
		    recv(run->sock, &byte, 1, 0) != 1)
			die("tcp");
	clock_stop(run);
}

/* Says so with a byte when it has received as much as a round sends. */
static void swallow(struct run *run)
{
	uint64_t all = (uint64_t)run->work->count * STREAM;
	struct pair *pair = run->data;
	ssize_t n;

	while ((n = recv(run->far_sock, pair->stream, STREAM, 0)) > 0) {
		received_add(run, n);
		if (received(run) % all == 0 &&
		    send(run->far_sock, "", 1, MSG_NOSIGNAL) != 1)
			break;
	}
}

static void bulk_open(struct run *run)
{
	tcp_open(run, swallow);
}

static void bulk_round(struct run *run)
{
	uint64_t before = received(run);
	struct pair *pair = run->data;
	unsigned int i;
	char byte;

	clock_start(run);
	for (i = 0; i < run->work->count; i++)
		if (send(run->sock, pair->stream, STREAM, MSG_NOSIGNAL) !=
		    STREAM)
			die("tcp");
	if (recv(run->sock, &byte, 1, 0) != 1)
		die("tcp");
	clock_stop(run);
	if (received(run) - before !=
	    (uint64_t)run->work->count * STREAM)
		give_up("%s: bytes were lost", run->dev);
}

/* ------------------------------------------------------------ XDP */

/* A program that counts and says so; how many it has seen is in the map. */
static int xdp_program(struct pair *pair, int verdict, unsigned int redirect)
{
	int map = bpf_map(BPF_MAP_TYPE_ARRAY, sizeof(__u64), 1);

	if (map < 0)
		return map;
	pair->map = map;
	if (redirect)
		return BPF(BPF_PROG_TYPE_XDP,
			   MOVE_IMM(BPF_REG_1, redirect),
			   MOVE_IMM(BPF_REG_2, 0),
			   CALL(BPF_FUNC_redirect),
			   EXIT());
	return BPF(BPF_PROG_TYPE_XDP,
		   INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2,
			BPF_PSEUDO_MAP_VALUE, 0, map),
		   INSN(0, 0, 0, 0, 0),
		   LOAD(BPF_DW, BPF_REG_1, BPF_REG_2, 0),
		   ADD_IMM(BPF_REG_1, 1),
		   STORE(BPF_DW, BPF_REG_2, 0, BPF_REG_1),
		   MOVE_IMM(BPF_REG_0, verdict),
		   EXIT());
}

static __u64 xdp_seen(struct pair *pair)
{
	union bpf_attr attr;
	__u64 seen = 0;
	__u32 key = 0;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = pair->map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&seen;
	if (bpf_do(BPF_MAP_LOOKUP_ELEM, &attr) < 0)
		die("BPF_MAP_LOOKUP_ELEM");
	return seen;
}

/* The program whose map counts what has arrived is loaded last. */
static void xdp_open(struct run *run)
{
	int verdict = run->work->mode;
	unsigned int redirect = 0;
	char near[IFNAMSIZ], far[IFNAMSIZ];
	struct pair *pair;
	bool there = verdict == XDP_DROP || verdict == XDP_PASS;

	pair_open(run);
	pair = run->data;
	if (verdict == XDP_REDIRECT) {
		snprintf(near, sizeof(near), "%s1",
			 side_name(run));
		snprintf(far, sizeof(far), "%sfar1",
			 side_name(run));
		link_both(run, near, far, &pair->near1, &pair->far1);
		redirect = pair->far1;
	}
	enter_ns(far_ns);
	link_xdp(pair->far, xdp_program(pair, verdict, redirect),
		 XDP_FLAGS_DRV_MODE);
	enter_ns(near_ns);
	if (!there)
		link_xdp(redirect ? pair->near1 : run->index,
			 xdp_program(pair, XDP_DROP, 0), XDP_FLAGS_DRV_MODE);
}

static void xdp_round(struct run *run)
{
	struct pair *pair = run->data;
	__u64 before;
	unsigned int i;

	for (i = 0; i < run->work->count; i += CHUNK) {
		before = xdp_seen(pair);
		generate(run, BENCH_BURST, CHUNK, run->work->batch);
		if (xdp_seen(pair) - before != CHUNK)
			give_up("%s: the last program saw %llu of %u packets",
				run->dev, xdp_seen(pair) - before, CHUNK);
		if (run->work->mode == XDP_PASS &&
		    drain(run->far_sock) != CHUNK)
			give_up("%s: not all came to the socket", run->dev);
	}
}

static void xdp_close(struct run *run)
{
	struct pair *pair = run->data;

	if (pair->near1)
		link_delete(pair->near1);
	pair_close(run);
}

#define PAIR(n, to, m) {						\
	.name = n, .count = 1024, .open = pair_open, .round = pair_round, \
	.close = pair_close, .size = SMALL, .sink = to, .batch = BATCH,	\
	.mode = m }
#define XDP(n, v) {							\
	.name = n, .count = 1024, .open = xdp_open, .round = xdp_round,	\
	.close = xdp_close, .size = SMALL, .sink = SINK_UDP,		\
	.batch = BATCH, .mode = v }

const struct workload pair_workloads[] = {
	PAIR("pair-one", SINK_OTHER, BENCH_SINGLE),
	PAIR("pair-one-udp", SINK_UDP, BENCH_SINGLE),
	PAIR("pair-burst-udp", SINK_UDP, BENCH_BURST),
	{
		.name = "pair-udp", .count = 1024, .open = udp_open,
		.round = udp_round, .close = pair_close, .size = SMALL,
		.sink = SINK_UDP,
	}, {
		.name = "pair-tcp-rr", .count = 256, .open = rr_open,
		.round = rr_round, .close = tcp_close, .size = SMALL,
		.sink = SINK_UDP,
	}, {
		.name = "pair-tcp-bulk", .count = 128, .open = bulk_open,
		.round = bulk_round, .close = tcp_close, .size = SMALL,
		.sink = SINK_UDP,
	},
	XDP("xdp-drop", XDP_DROP),
	XDP("xdp-pass", XDP_PASS),
	XDP("xdp-tx", XDP_TX),
	XDP("xdp-redirect", XDP_REDIRECT),
	{ }
};
