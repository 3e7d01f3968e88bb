// SPDX-License-Identifier: GPL-2.0
/*
 * What a program does at the character device, with each allocation failed once
 * (failnth.h).
 *
 *   failnth_fd -r failnth.send_batch
 */
#include "failnth.h"

#include "bpf.h"
#include "fd_bpf.h"

#include <linux/filter.h>

#define TAP	(IFF_TAP | IFF_NO_PI)
#define SIZE	1000
#define MANY	8

static struct nic nic, second;
static unsigned char packet[65536];

/* Closed by after, whatever has become of it */
static int shut(struct nic *nic)
{
	return neg(SYSCALL(close(nic->fd)));
}

static int attach(struct nic *nic, const char *name, int flags)
{
	char asked[IFNAMSIZ] = "";

	snprintf(asked, sizeof(asked), "%s", name);
	return set_iff(nic->fd, asked, flags);
}

static int start(int flags)
{
	int result = nic_open(&nic, "", flags, O_NONBLOCK);

	return result ?: if_up(nic.name);
}

/* ------------------------------------------------------- opened and closed */

FAIL_TEST(open)
{
	SWEEP(NOTHING, nic.fd = device_open(0), shut(&nic));
}

FAIL_TEST(close_unattached)
{
	SWEEP(nic.fd = device_open(0), shut(&nic), NOTHING);
}

FAIL_TEST(tunsetiff_tun)
{
	SWEEP(nic.fd = device_open(0),
	      attach(&nic, "t0", IFF_TUN), shut(&nic));
}

FAIL_TEST(tunsetiff_tap)
{
	SWEEP(nic.fd = device_open(0),
	      attach(&nic, "t%d", TAP | IFF_MULTI_QUEUE |
		      IFF_VNET_HDR), shut(&nic));
}

FAIL_TEST(tunsetiff_napi)
{
	SWEEP(nic.fd = device_open(0),
	      attach(&nic, "t0", TAP | IFF_NAPI |
		      IFF_NAPI_FRAGS), shut(&nic));
}

/* The device is there: by netlink, or by another program. */
FAIL_TEST(tunsetiff_attach)
{
	SWEEP(link_add("vntap", "t0") ?: (nic.fd = device_open(0)),
	      attach(&nic, "t0", TAP),
	      shut(&nic) ?: link_delete(if_index("t0")));
}

FAIL_TEST(tunsetiff_another_queue)
{
	SWEEP(start(TAP | IFF_MULTI_QUEUE) ?: (second.fd = device_open(0)),
	      attach(&second, nic.name, TAP | IFF_MULTI_QUEUE),
	      shut(&second) ?: shut(&nic));
}

FAIL_TEST(close_deletes)
{
	SWEEP(start(TAP), shut(&nic), NOTHING);
}

FAIL_TEST(tunsetqueue_detach)
{
	SWEEP(start(TAP | IFF_MULTI_QUEUE),
	      set_queue(nic.fd, IFF_DETACH_QUEUE), shut(&nic));
}

FAIL_TEST(tunsetqueue_attach)
{
	SWEEP(start(TAP | IFF_MULTI_QUEUE) ?:
	      set_queue(nic.fd, IFF_DETACH_QUEUE),
	      set_queue(nic.fd, IFF_ATTACH_QUEUE), shut(&nic));
}

/* ------------------------------------------------------------ ring lengths */

/* Fetches all that are there, of 1,000 at the most; how many that were. */
static int fetch(struct nic *nic)
{
	int n = 0;

	while (n < 1000 && read(nic->fd, packet, sizeof(packet)) > 0)
		n++;
	return n;
}

/* How many packets fit into each of the two rings; -EDOM if they differ */
static int rings_hold(void)
{
	struct flow flow = {
		.mode = IFF_TAP, .proto = IPPROTO_UDP, .from_stack = true,
	};
	int sock = packet_socket(nic.index), i, len, one = 1;

	if (sock < 0)
		return sock;
	/* A queueing discipline would hold some back. */
	if (setsockopt(sock, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)))
		return -errno;
	/* 100 flows are too many for a ring of 8, whichever it is. */
	for (i = 0; i < 100; i++) {
		flow.from = 1000 + i;
		len = flow_build(&flow, packet, 100, i);
		if (send(sock, packet, len, 0) != len && errno != ENOBUFS)
			return -errno;
	}
	close(sock);
	i = fetch(&nic);
	return fetch(&second) == i ? i : -EDOM;
}

/*
 * All rings have become longer, or all are as they were. The core asks us
 * first, and if the queueing discipline refuses then it does not say so.
 */
static int lengthen(void)
{
	int result = if_set(nic.name, SIOCSIFTXQLEN, 8);
	int hold = rings_hold();

	if (hold == 8 || (hold == 4 && result))
		return result;
	/* Not a refusal, after which a second try would do. */
	fprintf(stderr, "the rings hold %d after %d\n", hold, result);
	_exit(KSFT_FAIL);
}

FAIL_TEST(ring_length)
{
	SWEEP(start(TAP | IFF_MULTI_QUEUE) ?:
	      nic_open(&second, nic.name, TAP | IFF_MULTI_QUEUE, O_NONBLOCK) ?:
	      if_set(nic.name, SIOCSIFTXQLEN, 4),
	      lengthen(), shut(&second) ?: shut(&nic));
}

/* ------------------------------------------------------------ other ioctls */

static int any(unsigned long request, const void *value)
{
	return do_ioctl(nic.fd, request, value);
}

/* Those with a number, and what is asked for; each in turn */
FAIL_TEST(ioctls_with_numbers)
{
	static const struct {
		unsigned long request;
		long value;
		bool by_value;
	} all[] = {
		{ TUNSETPERSIST, 1, true }, { TUNSETOWNER, USER, true },
		{ TUNSETGROUP, OTHER, true }, { TUNSETLINK, ARPHRD_PPP, true },
		{ TUNSETSNDBUF, 4096, false }, { TUNSETVNETHDRSZ, 12, false },
		{ TUNSETVNETLE, 1, false }, { TUNSETCARRIER, 0, false },
		{ TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4, true },
		{ TUNSETNOCSUM, 1, true }, { TUNSETDEBUG, 1, true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		SWEEP((all[i].request == TUNSETLINK ? nic_open(&nic, "", TAP |
		       IFF_VNET_HDR, 0) : start(TAP | IFF_VNET_HDR)),
		      (all[i].by_value ?
		       neg(SYSCALL(ioctl(nic.fd, all[i].request, all[i].value))) :
		       set_number(nic.fd, all[i].request, all[i].value)),
		      neg(ioctl(nic.fd, TUNSETPERSIST, 0)) ?: shut(&nic));
}

FAIL_TEST(ioctls_that_ask)
{
	static const unsigned long all[] = {
		TUNGETIFF, TUNGETFEATURES, TUNGETSNDBUF, TUNGETVNETHDRSZ,
		TUNGETVNETLE, TUNGETFILTER, VNIC_IOC_VERSION,
		SIOCGIFHWADDR,
	};
	char answer[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		SWEEP(start(TAP | IFF_VNET_HDR),
		      neg(SYSCALL(ioctl(nic.fd, all[i], answer))), shut(&nic));
}

FAIL_TEST(tungetdevnetns)
{
	int fd = -1;

	SWEEP(start(TAP), fd = neg(SYSCALL(ioctl(nic.fd, TUNGETDEVNETNS))),
	      neg(close(fd)) ?: shut(&nic));
}

FAIL_TEST(tunattachfilter)
{
	static struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	static const struct sock_fprog filter = { .len = 1, .filter = &all };

	SWEEP(start(TAP), any(TUNATTACHFILTER, &filter), shut(&nic));
	SWEEP(start(TAP) ?: any(TUNATTACHFILTER, &filter),
	      any(TUNDETACHFILTER, &filter), shut(&nic));
}

FAIL_TEST(ebpf)
{
	struct bpf_insn none[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int prog = bpf_load(BPF_PROG_TYPE_SOCKET_FILTER, none,
			    ARRAY_SIZE(none));

	ASSERT_LE(0, prog);
	look(&first);
	SWEEP(start(TAP), any(TUNSETSTEERINGEBPF, &prog), shut(&nic));
	SWEEP(start(TAP), any(TUNSETFILTEREBPF, &prog), shut(&nic));
}

FAIL_TEST(tunsettxfilter)
{
	struct {
		struct tun_filter head;
		unsigned char addresses[4][ETH_ALEN];
	} filter = { { .count = 4 }, { { 2 }, { 2, 1 }, { 2, 2 }, { 3 } } };

	SWEEP(start(TAP), any(TUNSETTXFILTER, &filter), shut(&nic));
}

FAIL_TEST(siocsifhwaddr)
{
	struct ifreq ifr = {
		.ifr_hwaddr = { ARPHRD_ETHER, { 2, 0, 0, 0, 0, 1 } },
	};

	SWEEP(start(TAP), any(SIOCSIFHWADDR, &ifr), shut(&nic));
}

/* ----------------------------------------------------------------- packets */

static struct vnic_packet entries[MANY];

static int batch(unsigned long request, int count)
{
	struct vnic_batch batch = {
		.packets = (unsigned long)entries, .count = count,
	};
	int i;

	for (i = 0; i < count; i++) {
		entries[i] = (struct vnic_packet) {
			.addr = (unsigned long)packet + i * SIZE, .len = SIZE,
		};
		if (request == VNIC_IOC_SEND)
			packet_fill(packet + i * SIZE, IFF_TAP, SIZE, i);
	}
	return do_ioctl(nic.fd, request, &batch);
}

/* What a fault lets through of a batch, the next call completes. */
static int all_of(unsigned long request)
{
	int result = batch(request, MANY);

	return result < 0 ? result : 0;
}

static int write_one(int size)
{
	packet_fill(packet, IFF_TAP, size, 1);
	return neg(SYSCALL(write(nic.fd, packet, size)));
}

/* One for the program to read, sent by the stack */
static int give(int count)
{
	int sock = packet_socket(nic.index), result;

	if (sock < 0)
		return sock;
	result = send_packets(sock, IFF_TAP, SIZE, 0, count);
	close(sock);
	return result;
}

FAIL_TEST(write)
{
	SWEEP(start(TAP), write_one(SIZE), shut(&nic));
}

FAIL_TEST(write_large)
{
	SWEEP(start(TAP) ?: if_set(nic.name, SIOCSIFMTU, 60000),
	      write_one(50000), shut(&nic));
}

FAIL_TEST(write_napi_frags)
{
	struct iovec parts[3] = {
		{ packet, 64 }, { packet + 64, 400 }, { packet + 464, 536 },
	};

	packet_fill(packet, IFF_TAP, SIZE, 1);
	SWEEP(start(TAP | IFF_NAPI | IFF_NAPI_FRAGS),
	      neg(SYSCALL(writev(nic.fd, parts, 3))), shut(&nic));
}

FAIL_TEST(write_gso)
{
	struct flow flow = {
		.mode = IFF_TAP, .proto = IPPROTO_TCP, .partial = true,
	};
	struct vnic_vnet vnet;
	int len;

	len = flow_build(&flow, packet + sizeof(vnet), 20000, 1);
	vnet = flow_vnet(&flow, 1400);
	memcpy(packet, &vnet, sizeof(vnet));
	SWEEP(start(TAP | IFF_VNET_HDR),
	      neg(SYSCALL(write(nic.fd, packet, sizeof(vnet) + len))),
	      shut(&nic));
}

FAIL_TEST(read)
{
	/* One that could not be copied is lost; the next try gets the second. */
	SWEEP(start(TAP) ?: give(2),
	      neg(SYSCALL(read(nic.fd, packet, sizeof(packet)))), shut(&nic));
}

FAIL_TEST(send_batch)
{
	SWEEP(start(TAP), all_of(VNIC_IOC_SEND), shut(&nic));
}

FAIL_TEST(receive_batch)
{
	SWEEP(start(TAP) ?: give(MANY), all_of(VNIC_IOC_RECV), shut(&nic));
}

/* --------------------------------------------------- rings in shared memory */

static struct vnic_ring_setup rings;
static struct vnic_ring_head *head;

static int rings_make(void)
{
	rings = (struct vnic_ring_setup) {
		.recv_size = VNIC_RING_MIN, .send_size = VNIC_RING_MIN,
	};
	return any(VNIC_IOC_RING_SETUP, &rings);
}

static int rings_map(void)
{
	long at = SYSCALL((long)mmap(NULL, rings.map_size,
				     PROT_READ | PROT_WRITE, MAP_SHARED,
				     nic.fd, 0));

	if (at == (long)MAP_FAILED)
		return -errno;
	head = (void *)at;
	return 0;
}

/* A mapping holds the file. */
static int rings_shut(void)
{
	munmap(head, rings.map_size);
	return shut(&nic);
}

/* All that were put are taken, or lost for want of memory. */
static int rings_send(void)
{
	unsigned char *to = (unsigned char *)head + rings.send_offset;
	__u32 step = sizeof(struct vnic_frame) + 1024, i;
	int result;

	for (i = 0; i < MANY; i++) {
		*(struct vnic_frame *)(to + i * step) = (struct vnic_frame) {
			.len = 1024,
		};
		packet_fill(to + i * step + sizeof(struct vnic_frame), IFF_TAP,
			    1024, i);
	}
	head->send_prod.value = MANY * step;
	result = neg(SYSCALL(ioctl(nic.fd, VNIC_IOC_RING_SEND)));
	if (result < 0)
		return result;
	return result == MANY &&
	       head->send_cons.value == MANY * step ? 0 : -EILSEQ;
}

FAIL_TEST(ring_setup)
{
	SWEEP(start(TAP) ?: give(2), rings_make(), shut(&nic));
}

FAIL_TEST(ring_map)
{
	SWEEP(start(TAP) ?: rings_make(), rings_map(), rings_shut());
}

FAIL_TEST(ring_send)
{
	SWEEP(start(TAP) ?: rings_make() ?: rings_map(), rings_send(),
	      rings_shut());
}

/* ---------------------------------------------------- the queue as a socket */

static int sock;

static int sock_make(void)
{
	sock = neg(SYSCALL(ioctl(nic.fd, VNIC_IOC_SOCKET, O_CLOEXEC)));
	return sock < 0 ? sock : 0;
}

static int sock_shut(void)
{
	close(sock);
	return shut(&nic);
}

FAIL_TEST(socket)
{
	SWEEP(start(TAP) ?: give(2), sock_make(), sock_shut());
}

/* What XDP has put into the ring is copied on the way. */
static int frames_wait(void)
{
	int prog = BPF(BPF_PROG_TYPE_XDP, MOVE_IMM(BPF_REG_0, XDP_TX), EXIT());
	int result = prog < 0 ? prog :
		     xdp_attach(nic.index, prog, XDP_FLAGS_DRV_MODE);

	if (prog >= 0)
		close(prog);
	packet_fill(packet, IFF_TAP, SIZE, 1);
	if (!result && write(nic.fd, packet, SIZE) != SIZE)
		result = -errno;
	return result;
}

FAIL_TEST(socket_of_frames)
{
	SWEEP(start(TAP) ?: frames_wait(), sock_make(), sock_shut());
}

FAIL_TEST(socket_send)
{
	packet_fill(packet, IFF_TAP, SIZE, 1);
	SWEEP(start(TAP) ?: sock_make(),
	      neg(SYSCALL(send(sock, packet, SIZE, 0))), sock_shut());
}

FAIL_TEST(socket_receive)
{
	SWEEP(start(TAP) ?: sock_make() ?: give(2),
	      neg(SYSCALL(recv(sock, packet, sizeof(packet), 0))), sock_shut());
}

FAIL_TEST(write_xdp)
{
	struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int prog = bpf_load(BPF_PROG_TYPE_XDP, pass, ARRAY_SIZE(pass));

	ASSERT_LE(0, prog);
	look(&first);
	SWEEP(start(TAP) ?: xdp_attach(nic.index, prog, 0), write_one(SIZE),
	      shut(&nic));
}

TEST_HARNESS_MAIN
