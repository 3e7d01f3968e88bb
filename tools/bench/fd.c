// SPDX-License-Identifier: GPL-2.0
/*
 * The character device, /dev/net/tun and /dev/vnic: frames in by write(), out by
 * read(), and the batches that only ours has, against the same write() and
 * read() of the other.
 *
 *	program --> write, VNIC_IOC_SEND --> stack --> socket, or nobody
 *	program <-- read, VNIC_IOC_RECV <-- device <-- generator, or socket
 */
#include "bench.h"

#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <linux/virtio_net.h>

#include "libvnic.h"

/* A frame of 64 KB: 45 segments of a TCP connection over Ethernet */
#define SEGMENT		1448
#define BIG_DATA	(45 * SEGMENT)
#define BIG_HEADERS	(ETH_HLEN + 20 + 20)
#define BIG		(BIG_HEADERS + BIG_DATA)
#define VNET		10		/* struct virtio_net_hdr */
#define RING		1048576	/* bytes of each ring in shared memory */
#define BUFFER		2048

/* What the other end of the device is, to whom this stack is host 1 */
static const unsigned char far_mac[] = { 2, 0, 0, 0, 0, 2 };
static const unsigned char other_mac[] = { 2, 0, 0, 0, 0, 9 };

struct tap {
	struct vnic_packet	packets[BATCH];
	unsigned char		buffers[BATCH][BUFFER];
	int			done;
};

/* Does this side send and receive by batches? */
static bool batches(struct run *run)
{
	return run->side == OURS && run->work->batch;
}

static void tap_attach(struct run *run)
{
	int mode = run->work->mode;
	struct ifreq ifr = {
		.ifr_flags = IFF_TAP | IFF_NO_PI |
			     (mode == WITH_VNET ? IFF_VNET_HDR : 0),
	};

	run->fd = open(run->side == OURS ? VNIC_DEV_PATH : "/dev/net/tun",
		       O_RDWR | O_CLOEXEC |
		       (mode == NONBLOCK ? O_NONBLOCK : 0));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s0",
		 side_name(run));
	if (run->fd < 0 || ioctl(run->fd, TUNSETIFF, &ifr))
		die(ifr.ifr_name);
	snprintf(run->dev, sizeof(run->dev), "%s", ifr.ifr_name);
	run->index = index_of(run->dev);
	if (run->side == OURS && mode == WITH_RINGS &&
	    vnic_rings(run->fd, RING, RING))
		die("VNIC_IOC_RING_SETUP");
	shell("ip -batch - <<END\n"
	      "link set dev %s up\n"
	      "addr add 10.%d.0.1/24 dev %s\n"
	      "neigh add 10.%d.0.2 lladdr 02:00:00:00:00:02 dev %s\n"
	      "END", run->dev, 1 + run->side, run->dev, 1 + run->side,
	      run->dev);
}

static void tap_batch(struct run *run)
{
	struct tap *tap = run->data;
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		vnic_packet_set(&tap->packets[i], run->frame, run->len);
}

static void tap_buffers(struct run *run)
{
	struct tap *tap = run->data;
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		tap->packets[i].addr = (uintptr_t)tap->buffers[i];
	vnic_packets_reset(tap->packets, BATCH, BUFFER);
}

/* A device to write to, and its stack, or a frame for somebody else */
void tap_open(struct run *run)
{
	unsigned char mac[ETH_ALEN];

	run->data = allocate(sizeof(struct tap));
	tap_attach(run);
	mac_of(run->dev, mac);
	make_frame(run, run->work->sink == SINK_OTHER ? other_mac : mac,
		   far_mac, 2, 1);
	run->sock = udp_socket(run, 1);
	tap_batch(run);
}

/* A device to read from; what is sent by it goes to its other end. */
void tap_open_read(struct run *run)
{
	unsigned char mac[ETH_ALEN];

	run->data = allocate(sizeof(struct tap));
	tap_attach(run);
	mac_of(run->dev, mac);
	make_frame(run, far_mac, mac, 1, 2);
	run->sock = udp_socket(run, 1);
	tap_buffers(run);
}

void tap_close(struct run *run)
{
	close(run->sock);
	vnic_close(run->fd);
}

static void write_some(struct run *run, unsigned int count)
{
	struct tap *tap = run->data;
	unsigned int i, batch = run->work->batch;

	if (batches(run)) {
		for (i = 0; i < count; i += batch)
			if (vnic_send(run->fd, tap->packets, batch, batch) !=
			    (int)batch)
				die("VNIC_IOC_SEND");
	} else {
		for (i = 0; i < count; i++)
			if (write(run->fd, run->frame, run->len) !=
			    (ssize_t)run->len)
				die("write");
	}
}

void tap_write(struct run *run)
{
	unsigned int i, chunk = CHUNK;
	struct arrivals before;

	if (chunk > run->work->count)
		chunk = run->work->count;
	for (i = 0; i < run->work->count; i += chunk) {
		before = arrivals_now(near_ns, run->index);
		clock_start(run);
		write_some(run, chunk);
		clock_stop(run);
		arrivals_check(run, near_ns, run->index, run->sock, before,
			       chunk);
	}
}

/* How many come at once, one at least */
static int recv_batch(struct run *run, unsigned int max)
{
	struct tap *tap = run->data;
	int n;

	n = vnic_recv(run->fd, tap->packets, max, 1);
	if (n <= 0)
		die("VNIC_IOC_RECV");
	vnic_packets_reset(tap->packets, n, BUFFER);
	return n;
}

static void read_one(struct run *run)
{
	struct tap *tap = run->data;

	if (read(run->fd, tap->buffers[0], BUFFER) != (ssize_t)run->len)
		die("read");
}

void tap_read(struct run *run)
{
	unsigned int i, left;

	for (i = 0; i < run->work->count; i += CHUNK) {
		generate(run, run->work->xmit, CHUNK, run->work->batch);
		left = CHUNK;
		clock_start(run);
		if (batches(run)) {
			while (left)
				left -= recv_batch(run, run->work->batch);
		} else {
			while (left--)
				read_one(run);
		}
		clock_stop(run);
	}
}

/* 64 KB of a TCP connection that is somebody else's */
static void gso_open(struct run *run)
{
	static const unsigned char vnet[VNET] = {
		VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4,
		BIG_HEADERS, 0, SEGMENT & 0xff, SEGMENT >> 8,
		ETH_HLEN + 20, 0, 16, 0,
	};
	struct tap *tap = allocate(sizeof(*tap));
	unsigned char *frame = allocate(VNET + BIG), *ip = frame + VNET + ETH_HLEN;
	unsigned int i;

	run->data = tap;
	run->frame = frame;
	run->len = VNET + BIG;
	tap_attach(run);
	run->sock = -1;
	memcpy(frame, vnet, VNET);
	memcpy(frame + VNET, other_mac, ETH_ALEN);
	memcpy(frame + VNET + ETH_ALEN, far_mac, ETH_ALEN);
	ip[-2] = ETH_P_IP >> 8;
	ip[0] = 0x45;
	ip[2] = (BIG - ETH_HLEN) >> 8;
	ip[3] = (BIG - ETH_HLEN) & 0xff;
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	ip[32] = 5 << 4;		/* length of the TCP header */
	ip[33] = 0x10;			/* an acknowledgment */
	for (i = VNET + BIG_HEADERS; i < run->len; i++)
		frame[i] = i;
	for (i = 0; i < BATCH; i++) {
		vnic_packet_set(&tap->packets[i], frame + VNET, BIG);
		memcpy(&tap->packets[i].vnet, vnet, VNET);
	}
}

static void gso_close(struct run *run)
{
	close(run->fd);
}

/*
 * A datagram comes in, a program takes it from its socket and sends it back, it
 * goes out: one at a time.
 */
static void echo_open(struct run *run)
{
	tap_open(run);
	udp_connect(run, run->sock, 2);
}

static void echo_round(struct run *run)
{
	struct tap *tap = run->data;
	struct vnic_packet *out = &tap->packets[1];
	unsigned int i, data = run->len - ETH_HLEN - 20 - 8;
	bool batch = batches(run);
	char buffer[BUFFER];

	out->addr = (uintptr_t)tap->buffers[0];
	clock_start(run);
	for (i = 0; i < run->work->count; i++) {
		if (batch) {
			if (vnic_send(run->fd, tap->packets, 1, 1) != 1)
				die("VNIC_IOC_SEND");
		} else {
			if (write(run->fd, run->frame, run->len) !=
			    (ssize_t)run->len)
				die("write");
		}
		if (recv(run->sock, buffer, BUFFER, 0) != data ||
		    send(run->sock, buffer, data, 0) != data)
			die("echo");
		if (batch) {
			vnic_packets_reset(out, 1, BUFFER);
			if (vnic_recv(run->fd, out, 1, 1) != 1 ||
			    out->len != run->len)
				die("VNIC_IOC_RECV");
		} else {
			read_one(run);
		}
	}
	clock_stop(run);
	/* It has come back as it went, but for its direction. */
	if (memcmp(tap->buffers[0] + ETH_HLEN + 28, run->frame + ETH_HLEN + 28,
		   data))
		give_up("%s: the echo is not what was sent", run->dev);
}

/*
 * A process sleeps on the device; this one sends by a socket, @batch datagrams
 * at a time, and sleeps until the other has got them.
 */
static void reader(struct run *run)
{
	struct tap *tap = run->data;
	uint64_t one = 1, next = run->work->batch;

	for (;;) {
		if (run->side == OURS) {
			received_add(run, recv_batch(run, BATCH));
		} else {
			read_one(run);
			received_add(run, 1);
		}
		if (received(run) < next)
			continue;
		if (write(tap->done, &one, sizeof(one)) < 0)
			die("eventfd");
		next += run->work->batch;
	}
}

static void reader_open(struct run *run)
{
	struct tap *tap;

	tap_open_read(run);
	udp_connect(run, run->sock, 2);
	tap = run->data;
	tap->done = eventfd(0, EFD_CLOEXEC);
	child_start(run, reader);
}

static void reader_bursts(struct run *run, unsigned int count)
{
	unsigned int i, data = run->len - ETH_HLEN - 20 - 8;
	struct tap *tap = run->data;
	char buffer[BUFFER] = {};
	uint64_t many;

	while (count) {
		for (i = 0; i < run->work->batch; i++)
			if (send(run->sock, buffer, data, 0) != data)
				die("send");
		if (read(tap->done, &many, sizeof(many)) != sizeof(many))
			die("eventfd");
		/* By the next burst it shall sleep again. */
		sched_yield();
		count -= run->work->batch;
	}
}

static void reader_round(struct run *run)
{
	uint64_t before;

	/* The scheduler is kind to who has slept since the last round. */
	reader_bursts(run, run->work->count);
	before = received(run);
	clock_start(run);
	reader_bursts(run, run->work->count);
	clock_stop(run);
	if (received(run) - before != run->work->count)
		give_up("%s: the reader got another number of packets",
			run->dev);
}

static void reader_close(struct run *run)
{
	struct tap *tap = run->data;

	child_stop(run);
	close(tap->done);
	tap_close(run);
}

#define WRITE(n, s, to, b, how) {						\
	.name = n, .count = 1024, .open = tap_open, .round = tap_write, \
	.close = tap_close, .size = s, .sink = to, .batch = b, .mode = how }
#define READ(n, s, b, how) {							\
	.name = n, .count = 1024, .open = tap_open_read,		\
	.round = tap_read, .close = tap_close, .size = s,		\
	.sink = SINK_UDP, .batch = b, .mode = how }
#define GSO(n, b) {							\
	.name = n, .count = 64, .open = gso_open, .round = tap_write,	\
	.close = gso_close, .size = BIG, .sink = SINK_OTHER, .batch = b, \
	.mode = WITH_VNET }
#define ECHO(n, b, how) {							\
	.name = n, .count = 512, .open = echo_open, .round = echo_round, \
	.close = tap_close, .size = SMALL, .sink = SINK_UDP, .batch = b, \
	.mode = how }
/* Whether the reader runs when it is woken is the scheduler's to say. */
#define BLOCKED(n, b, how, times) {						\
	.name = n, .count = 1024, .open = reader_open,			\
	.round = reader_round, .close = reader_close, .size = SMALL,	\
	.sink = SINK_UDP, .batch = b, .mode = how,			\
	.least = times }

const struct workload fd_workloads[] = {
	WRITE("write-60-drop", SMALL, SINK_DROP, 0, PLAIN),
	WRITE("write-60-udp", SMALL, SINK_UDP, 0, PLAIN),
	WRITE("write-1514-udp", LARGE, SINK_UDP, 0, PLAIN),
	READ("read-60", SMALL, 0, PLAIN),
	READ("read-1514", LARGE, 0, PLAIN),
	WRITE("send-60-drop", SMALL, SINK_DROP, BATCH, PLAIN),
	WRITE("send-60-udp", SMALL, SINK_UDP, BATCH, PLAIN),
	WRITE("send-1514-udp", LARGE, SINK_UDP, BATCH, PLAIN),
	READ("recv-60", SMALL, BATCH, PLAIN),
	READ("recv-1514", LARGE, BATCH, PLAIN),
	GSO("gso-write", 0),
	GSO("gso-send", 8),
	ECHO("echo-plain", 0, PLAIN),
	ECHO("echo-batch", 1, PLAIN),
	BLOCKED("blocked-1", 1, PLAIN, 0),
	BLOCKED("blocked-8", 8, PLAIN, 0),
	BLOCKED("blocked-32", 32, PLAIN, 61),
	BLOCKED("blocked-256", 256, PLAIN, 61),
	WRITE("ring-send-60-drop", SMALL, SINK_DROP, BATCH, WITH_RINGS),
	WRITE("ring-send-60-udp", SMALL, SINK_UDP, BATCH, WITH_RINGS),
	WRITE("ring-send-1514-udp", LARGE, SINK_UDP, BATCH, WITH_RINGS),
	READ("ring-recv-60", SMALL, BATCH, WITH_RINGS),
	READ("ring-recv-1514", LARGE, BATCH, WITH_RINGS),
	ECHO("ring-echo", 1, WITH_RINGS),
	BLOCKED("ring-blocked-1", 1, WITH_RINGS, 0),
	BLOCKED("ring-blocked-8", 8, WITH_RINGS, 0),
	BLOCKED("ring-blocked-32", 32, WITH_RINGS, 61),
	BLOCKED("ring-blocked-256", 256, WITH_RINGS, 61),
	{ }
};
