// SPDX-License-Identifier: GPL-2.0
/*
 * xsk - an AF_XDP socket at an interface: frames that come in there by way of
 * a program, and frames that are sent from there, byte for byte.
 *
 *   xsk [-g] [-w] [-q QUEUE] NETNS DEV NETNS DEV COUNT SIZE
 *
 * The socket is at the second interface, which gets a program for as long as
 * this one runs. COUNT frames of SIZE bytes go there from the first interface,
 * and as many come back.
 *
 *   -g  by generic XDP
 *   -w  the kernel says when it has to be woken
 *   -q  the queue (default 0)
 *
 * Prints "received N sent N". Exit: 0, 1 something else came or nothing did, or
 * "ERRNO: WHAT" was refused.
 */
#include "helper.h"
#include "bpf.h"

#include <stddef.h>
#include <sys/mman.h>

#include <linux/if_link.h>
#include <linux/if_xdp.h>

#define ENTRIES		64		/* of each ring */
#define CHUNK		4096
#define CHUNKS		(2 * ENTRIES)	/* one half to receive into */
#define BATCH		16

struct ring {
	__u32 *producer, *consumer, *flags;
	void *entries;
	__u32 at;			/* how far this side has come */
};

static unsigned char *memory, wanted[FRAME_MAX], got[FRAME_MAX];
static struct ring fill, completion, receive, transmit;

static int check(const char *what, int result)
{
	if (result < 0) {
		printf("%s: %s\n", strerrorname_np(errno), what);
		exit(1);
	}
	return result;
}

static int check_bpf(const char *what, int result)
{
	errno = -result;
	return check(what, result);
}

static void map_ring(int fd, struct ring *ring, long long offset,
		     const struct xdp_ring_offset *at, int size)
{
	unsigned char *area;

	area = mmap(NULL, at->desc + ENTRIES * size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, fd, offset);
	if (area == MAP_FAILED)
		die("mmap");
	ring->producer = (void *)(area + at->producer);
	ring->consumer = (void *)(area + at->consumer);
	ring->flags = (void *)(area + at->flags);
	ring->entries = area + at->desc;
}

static void set_option(int fd, int option, const void *value, int size)
{
	check("setsockopt", setsockopt(fd, SOL_XDP, option, value, size));
}

/* What a socket had there, the kernel takes away some time after its end. */
static void bind_queue(int fd, const struct sockaddr_xdp *at)
{
	long end = milliseconds() + PATIENCE;

	while (bind(fd, (const void *)at, sizeof(*at))) {
		if (errno != EBUSY || milliseconds() > end)
			check("bind", -1);
		poll(NULL, 0, 10);
	}
}

static int xsk_socket(const char *dev, int queue, int flags)
{
	struct xdp_umem_reg reg = {
		.len = CHUNKS * CHUNK,
		.chunk_size = CHUNK,
	};
	struct sockaddr_xdp at = {
		.sxdp_family = AF_XDP,
		.sxdp_flags = XDP_COPY | flags,
		.sxdp_ifindex = if_nametoindex(dev),
		.sxdp_queue_id = queue,
	};
	struct xdp_mmap_offsets offsets;
	socklen_t size = sizeof(offsets);
	const int entries = ENTRIES;
	int fd;

	fd = check("socket", socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
	memory = mmap(NULL, reg.len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	reg.addr = (unsigned long)memory;
	set_option(fd, XDP_UMEM_REG, &reg, sizeof(reg));
	set_option(fd, XDP_UMEM_FILL_RING, &entries, sizeof(entries));
	set_option(fd, XDP_UMEM_COMPLETION_RING, &entries, sizeof(entries));
	set_option(fd, XDP_RX_RING, &entries, sizeof(entries));
	set_option(fd, XDP_TX_RING, &entries, sizeof(entries));
	check("getsockopt", getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets,
				       &size));
	map_ring(fd, &fill, XDP_UMEM_PGOFF_FILL_RING, &offsets.fr,
		 sizeof(__u64));
	map_ring(fd, &completion, XDP_UMEM_PGOFF_COMPLETION_RING, &offsets.cr,
		 sizeof(__u64));
	map_ring(fd, &receive, XDP_PGOFF_RX_RING, &offsets.rx,
		 sizeof(struct xdp_desc));
	map_ring(fd, &transmit, XDP_PGOFF_TX_RING, &offsets.tx,
		 sizeof(struct xdp_desc));
	bind_queue(fd, &at);
	return fd;
}

/* Gives a chunk to the kernel. */
static void give(struct ring *ring, __u64 address)
{
	((__u64 *)ring->entries)[ring->at++ % ENTRIES] = address;
	__atomic_store_n(ring->producer, ring->at, __ATOMIC_RELEASE);
}

static bool empty(struct ring *ring)
{
	return ring->at == __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
}

static void take(struct ring *ring)
{
	__atomic_store_n(ring->consumer, ++ring->at, __ATOMIC_RELEASE);
}

/* Sends what comes by QUEUE of the interface to the socket. */
static void attach(int fd, const char *dev, int queue, __u32 flags)
{
	int map = check_bpf("map", bpf_map(BPF_MAP_TYPE_XSKMAP, 4, queue + 1));
	const struct bpf_insn program[] = {
		LOAD(BPF_W, BPF_REG_2, BPF_REG_1,
		     offsetof(struct xdp_md, rx_queue_index)),
		LOAD_MAP(BPF_REG_1, map),
		LOAD_MAP_END(),
		MOVE_IMM(BPF_REG_3, XDP_PASS),
		CALL(BPF_FUNC_redirect_map),
		EXIT(),
	};
	union bpf_attr attr;

	check_bpf("map", bpf_map_set(map, queue, &fd));
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd =
		check_bpf("load", bpf_load(BPF_PROG_TYPE_XDP, program,
					   ARRAY_SIZE(program)));
	attr.link_create.target_ifindex = if_nametoindex(dev);
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = flags;
	/* Not closed: what it ties goes with this process. */
	check_bpf("attach", bpf_do(BPF_LINK_CREATE, &attr));
}

static bool wait_for(int fd, struct ring *ring, unsigned int number)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	long end = milliseconds() + PATIENCE;

	while (empty(ring)) {
		if (milliseconds() > end) {
			fprintf(stderr, "frame %u did not arrive\n", number);
			return false;
		}
		poll(&ready, 1, 100);
	}
	return true;
}

static bool receive_all(int xsk, int sock, unsigned int count, int size)
{
	unsigned int sent = 0, number;
	struct xdp_desc desc;
	bool same;

	for (number = 0; number < count; number++) {
		for (; sent < count && sent < number + BATCH; sent++) {
			frame_make(wanted, size, sent, 0);
			if (send(sock, wanted, size, 0) != size)
				die("send");
		}
		if (!wait_for(xsk, &receive, number))
			return false;
		desc = ((struct xdp_desc *)receive.entries)[receive.at %
							    ENTRIES];
		take(&receive);
		frame_make(wanted, size, number, 0);
		same = frame_is(memory + desc.addr, desc.len, wanted, size,
				number);
		memset(memory + desc.addr, 0xee, desc.len);
		give(&fill, desc.addr & ~(CHUNK - 1ULL));
		if (!same)
			return false;
	}
	return true;
}

static void wake(int xsk, int flags)
{
	if ((flags & XDP_USE_NEED_WAKEUP) &&
	    !(__atomic_load_n(transmit.flags, __ATOMIC_ACQUIRE) &
	      XDP_RING_NEED_WAKEUP))
		return;
	if (sendto(xsk, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 &&
	    errno != EAGAIN && errno != EBUSY && errno != ENOBUFS)
		die("sendto");
}

static bool send_all(int xsk, int sock, unsigned int count, int size, int flags)
{
	struct pollfd ready = { .fd = sock, .events = POLLIN };
	unsigned int sent = 0, number, tries;
	struct xdp_desc *desc;
	long end;
	int len;

	for (number = 0; number < count; number++) {
		for (; sent < count && sent < number + BATCH; sent++) {
			desc = (struct xdp_desc *)transmit.entries +
			       transmit.at++ % ENTRIES;
			desc->addr = (ENTRIES + sent % ENTRIES) * CHUNK;
			desc->len = size;
			desc->options = 0;
			frame_make(memory + desc->addr, size, sent, 1);
		}
		__atomic_store_n(transmit.producer, transmit.at,
				 __ATOMIC_RELEASE);
		end = milliseconds() + PATIENCE;
		do {
			wake(xsk, flags);
			if (milliseconds() > end) {
				fprintf(stderr, "frame %u did not arrive\n",
					number);
				return false;
			}
		} while (poll(&ready, 1, 100) != 1);
		len = recv(sock, got, sizeof(got), 0);
		frame_make(wanted, size, number, 1);
		if (!frame_is(got, len, wanted, size, number))
			return false;
		for (; !empty(&completion); take(&completion))
			;
	}
	for (tries = 0; tries < 1000 && completion.at != count; tries++) {
		for (; !empty(&completion); take(&completion))
			;
		poll(NULL, 0, 10);
	}
	if (completion.at == count)
		return true;
	fprintf(stderr, "%u frames of %u were completed\n", completion.at,
		count);
	return false;
}

int main(int argc, char **argv)
{
	__u32 mode = XDP_FLAGS_DRV_MODE;
	int opt, flags = 0, queue = 0, xsk, sock, size;
	unsigned int count, i;

	while ((opt = getopt(argc, argv, "gwq:")) != -1) {
		switch (opt) {
		case 'g':
			mode = XDP_FLAGS_SKB_MODE;
			break;
		case 'w':
			flags = XDP_USE_NEED_WAKEUP;
			break;
		case 'q':
			queue = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	argv += optind;
	if (argc - optind != 6) {
		fputs("usage: xsk [-g] [-w] [-q QUEUE] NETNS DEV NETNS DEV COUNT SIZE\n",
		      stderr);
		return 2;
	}
	count = atoi(argv[4]);
	size = atoi(argv[5]);

	enter(argv[2]);
	xsk = xsk_socket(argv[3], queue, flags);
	for (i = 0; i < ENTRIES; i++)
		give(&fill, i * CHUNK);
	attach(xsk, argv[3], queue, mode);
	enter(argv[0]);
	sock = packet_socket(argv[1], true);
	if (!receive_all(xsk, sock, count, size) ||
	    !send_all(xsk, sock, count, size, flags))
		return 1;
	printf("received %u sent %u\n", count, count);
	return 0;
}
