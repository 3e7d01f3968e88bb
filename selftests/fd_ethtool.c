// SPDX-License-Identifier: GPL-2.0
/*
 * What ethtool and sysfs say of a device, what they set, and that each packet
 * that is lost is counted where it was lost.
 *
 *   written by the program = rx_packets + every rx_drop_*
 *   given by the stack     = tx_packets + every tx_drop_* + what waits
 */
#include "fd_bpf.h"
#include "fd_flow.h"

#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>

FD_FIXTURE(ethtool)

#define NO_COUNTERS	"has no ethtool -S"

FD_TEST(ethtool, driver)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	ASSERT_EQ(0, nic_open(&self->nic, "et0", variant->mode, 0));
	ASSERT_EQ(0, ethtool("et0", &info));
	EXPECT_STREQ(in_tree() ? variant->in_tree_kind : variant->kind,
		     info.driver);
	/* By this programs tell the modes apart. */
	EXPECT_STREQ(variant->stem, info.bus_info);
	EXPECT_NE(0, info.version[0]);
}

FD_TEST(ethtool, link)
{
	struct ethtool_value up = { .cmd = ETHTOOL_GLINK };
	struct ethtool_cmd settings = { .cmd = ETHTOOL_GSET };

	ASSERT_EQ(0, nic_open(&self->nic, "et0", variant->mode, 0));
	ASSERT_EQ(0, if_up("et0"));
	ASSERT_TRUE(WAIT_FOR(!ethtool("et0", &up) && up.data));
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETCARRIER, 0));
	ASSERT_TRUE(WAIT_FOR(!ethtool("et0", &up) && !up.data));

	ASSERT_EQ(0, ethtool("et0", &settings));
	/* As the newest tun has it; before it was 10 */
	if (!in_tree()) {
		EXPECT_EQ(10000, ethtool_cmd_speed(&settings));
	}
	EXPECT_EQ(DUPLEX_FULL, settings.duplex);
	EXPECT_EQ(AUTONEG_DISABLE, settings.autoneg);
	EXPECT_EQ(PORT_TP, settings.port);
	settings.cmd = ETHTOOL_SSET;
	ethtool_cmd_speed_set(&settings, 2500);
	settings.duplex = DUPLEX_HALF;
	ASSERT_EQ(0, ethtool("et0", &settings));
	settings = (struct ethtool_cmd) { .cmd = ETHTOOL_GSET };
	ASSERT_EQ(0, ethtool("et0", &settings));
	EXPECT_EQ(2500, ethtool_cmd_speed(&settings));
	EXPECT_EQ(DUPLEX_HALF, settings.duplex);
}

static int message_level(void)
{
	struct ethtool_value level = { .cmd = ETHTOOL_GMSGLVL };

	return ethtool("et0", &level) ?: level.data;
}

FD_TEST(ethtool, message_level)
{
	struct ethtool_value level = { .cmd = ETHTOOL_SMSGLVL, .data = 0 };

	ASSERT_EQ(0, nic_open(&self->nic, "et0", variant->mode, 0));
	EXPECT_EQ(0, message_level());
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETDEBUG, 0x4000));
	EXPECT_EQ(0x4000, message_level());
	ASSERT_EQ(0, ethtool("et0", &level));
	EXPECT_EQ(0, message_level());
}

static int coalesce(int *frames)
{
	struct ethtool_coalesce c = { .cmd = ETHTOOL_GCOALESCE };
	int result = ethtool("et0", &c);

	*frames = c.rx_max_coalesced_frames;
	return result;
}

FD_TEST(ethtool, coalescing)
{
	static const int wanted[] = { 1, 2, 63, 64, 65, 1000000, 0 };
	struct ethtool_coalesce c = { .cmd = ETHTOOL_SCOALESCE };
	unsigned char data[100];
	unsigned int i;
	int frames, sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, if_down(self->nic.name));
	ASSERT_EQ(0, if_rename(self->nic.name, "et0"));
	ASSERT_EQ(0, if_up("et0"));
	ASSERT_EQ(0, coalesce(&frames));
	EXPECT_EQ(in_tree() ? 0 : 64, frames);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	packet_fill(data, variant->mode, 100, 1);
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		c.rx_max_coalesced_frames = wanted[i];
		EXPECT_EQ(0, ethtool("et0", &c));
		ASSERT_EQ(0, coalesce(&frames));
		EXPECT_EQ(wanted[i] > 64 ? 64 : wanted[i], frames);
		/* A single packet never waits for others. */
		EXPECT_EQ(100, neg(write(self->nic.fd, data, 100)));
		EXPECT_EQ(100, receive(sock, data, 100, NULL));
	}
	c.rx_coalesce_usecs = 1;
	EXPECT_EQ(-EOPNOTSUPP, ethtool("et0", &c));
	c.rx_coalesce_usecs = 0;
	c.tx_max_coalesced_frames = 1;
	EXPECT_EQ(-EOPNOTSUPP, ethtool("et0", &c));
	close(sock);
}

/* Packets that go up as one list arrive all, in order, whatever its length. */
FD_TEST(ethtool, coalescing_of_batches)
{
	struct ethtool_coalesce c = { .cmd = ETHTOOL_SCOALESCE };
	static const int lengths[] = { 0, 1, 7, 64 };
	static unsigned char data[100][60];
	struct vnic_packet entries[100];
	struct vnic_batch batch = {
		.packets = (unsigned long)entries, .count = 100,
	};
	unsigned char got[64];
	unsigned int i, j;
	int sock;

	OURS_ALONE("is without batches");
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		c.rx_max_coalesced_frames = lengths[i];
		ASSERT_EQ(0, ethtool(self->nic.name, &c));
		memset(entries, 0, sizeof(entries));
		for (j = 0; j < 100; j++) {
			packet_fill(data[j], variant->mode, 60, j);
			entries[j].addr = (unsigned long)data[j];
			entries[j].len = 60;
		}
		ASSERT_EQ(100, do_ioctl(self->nic.fd, VNIC_IOC_SEND, &batch));
		for (j = 0; j < 100; j++) {
			ASSERT_EQ(60, receive(sock, got, 64, NULL));
			ASSERT_EQ(0, memcmp(data[j], got, 60));
		}
	}
	EXPECT_EQ(400, link_of(&self->nic).stats.rx_packets);
	close(sock);
}

static int ring(const char *name, struct ethtool_ringparam *ring)
{
	*ring = (struct ethtool_ringparam) { .cmd = ETHTOOL_GRINGPARAM };
	return ethtool(name, ring);
}

static int set_ring(const char *name, int tx, int rx)
{
	struct ethtool_ringparam ring = {
		.cmd = ETHTOOL_SRINGPARAM, .tx_pending = tx, .rx_pending = rx,
	};

	return ethtool(name, &ring);
}

FD_TEST(ethtool, ring)
{
	struct ethtool_ringparam got;
	int sock, length;

	OURS_ALONE("has no ethtool -g");
	ASSERT_EQ(0, nic_open(&self->nic, "et0", variant->mode | IFF_NO_PI,
			      O_NONBLOCK));
	ASSERT_EQ(0, if_up("et0"));
	ASSERT_EQ(0, ring("et0", &got));
	length = link_of(&self->nic).qlen;
	EXPECT_EQ(length, got.tx_pending);
	EXPECT_LE(length, got.tx_max_pending);
	EXPECT_EQ(0, got.rx_max_pending);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);

	ASSERT_EQ(0, set_ring("et0", 8, 0));
	ASSERT_EQ(0, ring("et0", &got));
	EXPECT_EQ(8, got.tx_pending);
	/* The ring alone, not the qdisc that is above it */
	EXPECT_EQ(length, link_of(&self->nic).qlen);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 60, 0, 10));
	EXPECT_EQ(8, read_in_order(self->nic.fd, variant->mode, 60, 0));
	EXPECT_EQ(2, ethtool_counter("et0", "tx_drop_full"));

	/* Refused, and as it was */
	EXPECT_EQ(-EINVAL, set_ring("et0", 0, 0));
	EXPECT_EQ(-EINVAL, set_ring("et0", got.tx_max_pending + 1, 0));
	EXPECT_EQ(-EINVAL, set_ring("et0", 8, 1));
	ASSERT_EQ(0, ring("et0", &got));
	EXPECT_EQ(8, got.tx_pending);

	/* By the queue's length too, as tun has it */
	ASSERT_EQ(0, if_set("et0", SIOCSIFTXQLEN, 20));
	ASSERT_EQ(0, ring("et0", &got));
	EXPECT_EQ(20, got.tx_pending);
	/* With nobody attached: for who comes next */
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	nic_close(&self->nic);
	ASSERT_EQ(0, set_ring("et0", 5, 0));
	ASSERT_EQ(0, nic_open(&self->nic, "et0", variant->mode | IFF_NO_PI,
			      O_NONBLOCK));
	ASSERT_EQ(0, ring("et0", &got));
	EXPECT_EQ(5, got.tx_pending);
	ASSERT_TRUE(WAIT_FOR(link_of(&self->nic).flags & IFF_RUNNING));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 60, 0, 10));
	EXPECT_EQ(5, read_in_order(self->nic.fd, variant->mode, 60, 0));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 0));
	close(sock);
}

FD_TEST(ethtool, time_stamping)
{
	const unsigned int flags = SOF_TIMESTAMPING_TX_SOFTWARE |
				   SOF_TIMESTAMPING_SOFTWARE |
				   SOF_TIMESTAMPING_OPT_TSONLY;
	struct ethtool_ts_info info = { .cmd = ETHTOOL_GET_TS_INFO };
	char control[512];
	struct msghdr msg = {
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	bool seen = false;
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, ethtool(self->nic.name, &info));
	EXPECT_EQ(SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE |
		  SOF_TIMESTAMPING_SOFTWARE, info.so_timestamping);
	EXPECT_EQ(-1, info.phc_index);

	/* And so it does. */
	ASSERT_EQ(0, stack_start(&self->nic, variant->mode));
	sock = stack_udp(AF_INET, PORT);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPING, &flags,
				sizeof(flags)));
	ASSERT_EQ(1, stack_send(sock, "x", 1, PORT));
	ASSERT_TRUE(WAIT_FOR(recvmsg(sock, &msg, MSG_ERRQUEUE |
				     MSG_DONTWAIT) >= 0));
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		struct scm_timestamping *stamp = (void *)CMSG_DATA(c);

		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_TIMESTAMPING)
			seen = stamp->ts[0].tv_sec > 0;
	}
	EXPECT_TRUE(seen);
	close(sock);
}

FD_TEST(ethtool, sysfs)
{
	const int flags = variant->mode | IFF_NO_PI | IFF_VNET_HDR |
			  IFF_MULTI_QUEUE;

	ASSERT_EQ(0, see_sysfs());
	ASSERT_EQ(0, nic_open(&self->nic, "et0", flags, 0));
	EXPECT_EQ(flags, sysfs_number("et0", "tun_flags"));
	EXPECT_EQ(-1, sysfs_number("et0", "owner"));
	EXPECT_EQ(-1, sysfs_number("et0", "group"));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOWNER, USER));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETGROUP, OTHER));
	EXPECT_EQ(flags | IFF_PERSIST, sysfs_number("et0", "tun_flags"));
	EXPECT_EQ(USER, sysfs_number("et0", "owner"));
	EXPECT_EQ(OTHER, sysfs_number("et0", "group"));
	EXPECT_NE(0, sysfs_set("et0", "tun_flags", "0"));
	EXPECT_NE(0, sysfs_set("et0", "owner", "0"));
	nic_close(&self->nic);
	EXPECT_EQ(flags | IFF_PERSIST, sysfs_number("et0", "tun_flags"));
	ASSERT_EQ(0, link_delete(self->nic.index));
}

/* A counter of the device, and of its first queue the same */
#define COUNTED(n, name) do {						\
	EXPECT_EQ(n, ethtool_counter("et0", name)) TH_LOG("%s", name);	\
	EXPECT_EQ(n, ethtool_counter("et0", "queue_0_" name))		\
		TH_LOG("queue_0_%s", name);				\
} while (0)

/* What the counters with this prefix are together, of the device */
static long long sum_of(const char *prefix)
{
	static const char *const names[] = {
		"rx_drop_short", "rx_drop_long", "rx_drop_fault",
		"rx_drop_nomem", "rx_drop_protocol", "rx_drop_vnet",
		"rx_drop_down", "rx_drop_busy", "rx_drop_xdp",
		"rx_drop_xdp_error", "tx_drop_no_queue", "tx_drop_full",
		"tx_drop_filter_mac", "tx_drop_filter_cbpf",
		"tx_drop_filter_ebpf", "tx_drop_fault", "tx_drop_nomem",
		"tx_drop_vnet", "tx_drop_purged",
	};
	long long sum = 0, value;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (strncmp(names[i], prefix, strlen(prefix)))
			continue;
		value = ethtool_counter("et0", names[i]);
		if (value < 0)
			return value;
		sum += value;
	}
	return sum;
}

/* Every way to lose what the program writes, and its counter */
FD_TEST(ethtool, every_loss_towards_the_stack)
{
	static unsigned char frame[70000];
	void *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct iovec iov[] = { { frame, 10 }, { frame + 10, 100 } };
	struct vnic_vnet bad = { .gso_type = 0x55, .gso_size = 1 };
	int sock, written = 0, fd, prog;
	bool tap = variant->mode == IFF_TAP;
	struct link link;

	OURS_ALONE(NO_COUNTERS);
	ASSERT_EQ(0, nic_open(&self->nic, "et0", variant->mode | IFF_NO_PI |
			      IFF_VNET_HDR, O_NONBLOCK));
	fd = self->nic.fd;
	packet_fill(frame + 10, variant->mode, 60000, 1);
	/* While it is down */
	EXPECT_EQ(-EIO, neg(writev(fd, iov, 2)));
	written++;
	COUNTED(1, "rx_drop_down");
	ASSERT_EQ(0, if_up("et0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	EXPECT_EQ(110, neg(writev(fd, iov, 2)));
	written++;
	COUNTED(1, "rx_packets");
	COUNTED(100, "rx_bytes");
	/* Shorter than the header of the fd, then than the frame's */
	EXPECT_EQ(-EINVAL, neg(write(fd, frame, 9)));
	written++;
	COUNTED(1, "rx_drop_short");
	if (tap) {
		EXPECT_EQ(-EINVAL, neg(write(fd, frame, 10 + ETH_HLEN - 1)));
		written++;
		COUNTED(2, "rx_drop_short");
	}
	EXPECT_EQ(-EMSGSIZE, neg(write(fd, frame, 66000)));
	written++;
	COUNTED(1, "rx_drop_long");
	iov[1].iov_base = hole;
	EXPECT_EQ(-EFAULT, neg(writev(fd, iov, 2)));
	written++;
	COUNTED(1, "rx_drop_fault");
	iov[1].iov_base = frame + 10;
	iov[0].iov_base = &bad;
	EXPECT_EQ(-EINVAL, neg(writev(fd, iov, 2)));
	written++;
	COUNTED(1, "rx_drop_vnet");
	iov[0].iov_base = frame;
	if (!tap) {
		frame[10] = 0xe5;
		EXPECT_EQ(-EINVAL, neg(writev(fd, iov, 2)));
		written++;
		COUNTED(1, "rx_drop_protocol");
	} else {
		prog = BPF(BPF_PROG_TYPE_XDP, MOVE_IMM(BPF_REG_0, XDP_DROP),
			   EXIT());
		ASSERT_EQ(0, xdp_attach(self->nic.index, prog,
					XDP_FLAGS_DRV_MODE));
		EXPECT_EQ(110, neg(writev(fd, iov, 2)));
		written++;
		COUNTED(1, "rx_drop_xdp");
		prog = BPF(BPF_PROG_TYPE_XDP, MOVE_IMM(BPF_REG_0, 77), EXIT());
		ASSERT_EQ(0, xdp_attach(self->nic.index, prog,
					XDP_FLAGS_DRV_MODE));
		EXPECT_EQ(110, neg(writev(fd, iov, 2)));
		written++;
		COUNTED(1, "rx_drop_xdp_error");
	}
	/* None is missing, in any of the places. */
	link = link_of(&self->nic);
	EXPECT_EQ(written - 1, sum_of("rx_drop_"));
	EXPECT_EQ(written, link.stats.rx_packets + link.stats.rx_dropped);
	EXPECT_EQ(1, link.stats.rx_frame_errors);
	EXPECT_EQ(tap ? 3 : 2, link.stats.rx_length_errors);
	EXPECT_EQ(tap ? 4 : 3, link.stats.rx_errors);
	close(sock);
}

FD_TEST(ethtool, loss_of_a_detached_queue_with_napi)
{
	unsigned char data[100];

	OURS_ALONE(NO_COUNTERS);
	ASSERT_EQ(0, nic_open(&self->nic, "et0", variant->mode | IFF_NO_PI |
			      IFF_NAPI | IFF_MULTI_QUEUE, O_NONBLOCK));
	ASSERT_EQ(0, if_up("et0"));
	ASSERT_EQ(0, set_queue(self->nic.fd, IFF_DETACH_QUEUE));
	packet_fill(data, variant->mode, 100, 1);
	EXPECT_EQ(-EBUSY, neg(write(self->nic.fd, data, 100)));
	EXPECT_EQ(1, ethtool_counter("et0", "rx_drop_busy"));
	EXPECT_EQ(1, sum_of("rx_drop_"));
}

/* Every way to lose what the stack sends */
FD_TEST(ethtool, every_loss_towards_the_program)
{
	struct sock_filter none[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog fprog = { .len = 1, .filter = none };
	struct {
		struct tun_filter head;
		unsigned char address[ETH_ALEN];
	} one = { .head.count = 1, .address = { 2, 9, 9, 9, 9, 9 } };
	void *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	unsigned char data[200];
	int sock, fd, sent = 0, prog;
	struct link link;

	OURS_ALONE(NO_COUNTERS);
	ASSERT_EQ(0, nic_open(&self->nic, "et0", variant->mode | IFF_NO_PI |
			      IFF_MULTI_QUEUE, O_NONBLOCK));
	fd = self->nic.fd;
	ASSERT_EQ(0, if_up("et0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, set_ring("et0", 4, 0));
	/* Two too many; one that is cut; one that cannot be written */
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 6));
	sent += 6;
	COUNTED(2, "tx_drop_full");
	EXPECT_EQ(50, read_packet(fd, data, 50));
	COUNTED(1, "tx_truncated");
	EXPECT_EQ(-EFAULT, read_packet(fd, hole, 200));
	COUNTED(1, "tx_drop_fault");
	COUNTED(1, "tx_packets");
	COUNTED(100, "tx_bytes");
	/* Two are in the ring when the queue is taken away. */
	ASSERT_EQ(0, set_queue(fd, IFF_DETACH_QUEUE));
	COUNTED(2, "tx_drop_purged");
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3));
	sent += 3;
	EXPECT_EQ(3, ethtool_counter("et0", "tx_drop_no_queue"));
	ASSERT_EQ(0, set_queue(fd, IFF_ATTACH_QUEUE));
	/* What a queue has counted stays with the device, and its number. */
	COUNTED(2, "tx_drop_purged");

	prog = BPF(BPF_PROG_TYPE_SOCKET_FILTER, MOVE_IMM(BPF_REG_0, 0), EXIT());
	ASSERT_EQ(0, set_number(fd, TUNSETFILTEREBPF, prog));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 1));
	sent++;
	COUNTED(1, "tx_drop_filter_ebpf");
	if (variant->mode == IFF_TAP) {
		ASSERT_EQ(0, do_ioctl(fd, TUNATTACHFILTER, &fprog));
		ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 1));
		sent++;
		COUNTED(1, "tx_drop_filter_cbpf");
		ASSERT_EQ(1, do_ioctl(fd, TUNSETTXFILTER, &one));
		ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 1));
		sent++;
		COUNTED(1, "tx_drop_filter_mac");
	}
	link = link_of(&self->nic);
	EXPECT_EQ(sent, link.stats.tx_packets + link.stats.tx_dropped);
	EXPECT_EQ(sent - 1, sum_of("tx_drop_"));
	EXPECT_EQ(1, link.stats.tx_packets);
	close(sock);
}

/* Each queue by itself, and what those had that are gone */
FD_TEST(ethtool, counters_of_each_queue)
{
	const int flags = variant->mode | IFF_NO_PI | IFF_MULTI_QUEUE;
	unsigned char data[100];
	struct nic second;
	int i;

	OURS_ALONE(NO_COUNTERS);
	ASSERT_EQ(0, nic_open(&self->nic, "et0", flags, O_NONBLOCK));
	EXPECT_EQ(-ENOENT, ethtool_counter("et0", "queue_1_rx_packets"));
	ASSERT_EQ(0, nic_open(&second, "et0", flags, O_NONBLOCK));
	ASSERT_EQ(0, if_up("et0"));
	packet_fill(data, variant->mode, 100, 1);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(100, neg(write(second.fd, data, 100)));
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(100, neg(write(self->nic.fd, data, 100)));
	}
	EXPECT_EQ(8, ethtool_counter("et0", "rx_packets"));
	EXPECT_EQ(3, ethtool_counter("et0", "queue_0_rx_packets"));
	EXPECT_EQ(5, ethtool_counter("et0", "queue_1_rx_packets"));
	nic_close(&second);
	EXPECT_EQ(-ENOENT, ethtool_counter("et0", "queue_1_rx_packets"));
	EXPECT_EQ(8, ethtool_counter("et0", "rx_packets"));
	EXPECT_EQ(8, link_of(&self->nic).stats.rx_packets);
	/* Who comes next finds the slot's figures, not those of nobody. */
	ASSERT_EQ(0, nic_open(&second, "et0", flags, O_NONBLOCK));
	ASSERT_EQ(100, neg(write(second.fd, data, 100)));
	EXPECT_EQ(6, ethtool_counter("et0", "queue_1_rx_packets"));
	EXPECT_EQ(9, ethtool_counter("et0", "rx_packets"));
	nic_close(&second);
}

TEST_HARNESS_MAIN
