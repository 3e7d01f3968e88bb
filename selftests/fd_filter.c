// SPDX-License-Identifier: GPL-2.0
/*
 * What the program does not want to read: by destination address
 * (TUNSETTXFILTER), by a program of classic BPF (TUNATTACHFILTER), by one of
 * the kernel's virtual machine (TUNSETFILTEREBPF).
 *
 *   AF_PACKET --> address --> classic --> eBPF --> ring --> read(fd)
 *                    \___________\__________\___ dropped, and counted
 */
#include "fd_bpf.h"

#include <linux/filter.h>

FD_FIXTURE(filter)

#define NO_LAYER_2	"filters of this kind are for frames"
#define ADDRESSES	20

/* A filter of many addresses, as TUNSETTXFILTER takes it */
struct addresses {
	struct tun_filter head;
	unsigned char address[ADDRESSES][ETH_ALEN];
};

/* Sends one frame to @to; is it read? 1, 0 or -errno */
static int passes(const struct nic *nic, int sock, const unsigned char *to)
{
	unsigned char frame[60], got[100];
	int len;

	packet_fill(frame, IFF_TAP, sizeof(frame), 1);
	memcpy(frame, to, ETH_ALEN);
	if (send(sock, frame, sizeof(frame), 0) != sizeof(frame))
		return -errno;
	len = neg(read(nic->fd, got, sizeof(got)));
	if (len == -EAGAIN)
		return 0;
	return len == sizeof(frame) && !memcmp(frame, got, len) ? 1 : -EIO;
}

/* The length at which a packet of 100 bytes is read; 0 if it is not */
static int kept(int fd, int sock, int mode)
{
	unsigned char want[100], got[200];
	int len;

	packet_fill(want, mode, sizeof(want), 1);
	if (send(sock, want, sizeof(want), 0) != sizeof(want))
		return -errno;
	len = neg(read(fd, got, sizeof(got)));
	if (len == -EAGAIN)
		return 0;
	return len > 0 && memcmp(want, got, len) ? -EIO : len;
}

/* The bit of 64 that stands for an address: six of the CRC that Ethernet has */
static int hash(const unsigned char *address)
{
	unsigned int crc = ~0, i, bit;

	for (i = 0; i < ETH_ALEN; i++)
		for (bit = 0; bit < 8; bit++)
			crc = crc << 1 ^
			      ((crc >> 31 ^ address[i] >> bit) & 1 ?
			       0x04c11db7 : 0);
	return crc >> 26;
}

static const unsigned char all[] = { 255, 255, 255, 255, 255, 255 };
static const unsigned char one[] = { 2, 0, 0, 0, 0, 1 };
static const unsigned char two[] = { 2, 0, 0, 0, 0, 2 };
static const unsigned char many[] = { 1, 0, 0x5e, 0, 0, 1 };

FD_TEST(filter, addresses)
{
	struct addresses filter = { };
	int sock;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	EXPECT_EQ(1, passes(&self->nic, sock, one));
	EXPECT_EQ(1, passes(&self->nic, sock, many));

	/* One of each kind: the answer is how many are compared in full. */
	filter.head.count = 2;
	memcpy(filter.address[0], one, ETH_ALEN);
	memcpy(filter.address[1], many, ETH_ALEN);
	EXPECT_EQ(2, do_ioctl(self->nic.fd, TUNSETTXFILTER, &filter));
	EXPECT_EQ(1, passes(&self->nic, sock, one));
	EXPECT_EQ(1, passes(&self->nic, sock, many));
	EXPECT_EQ(0, passes(&self->nic, sock, two));
	EXPECT_EQ(0, passes(&self->nic, sock, all));
	EXPECT_EQ(2, link_of(&self->nic).stats.tx_dropped);

	filter.head.count = 1;
	memcpy(filter.address[0], all, ETH_ALEN);
	EXPECT_EQ(1, do_ioctl(self->nic.fd, TUNSETTXFILTER, &filter));
	EXPECT_EQ(1, passes(&self->nic, sock, all));
	EXPECT_EQ(0, passes(&self->nic, sock, one));
	EXPECT_EQ(0, passes(&self->nic, sock, many));

	/* None at all is no filter. */
	filter.head.count = 0;
	EXPECT_EQ(0, do_ioctl(self->nic.fd, TUNSETTXFILTER, &filter));
	EXPECT_EQ(1, passes(&self->nic, sock, one));
	EXPECT_EQ(1, passes(&self->nic, sock, many));
	if (!in_tree()) {
		EXPECT_EQ(4, ethtool_counter(self->nic.name,
					     "tx_drop_filter_mac"));
	}
	close(sock);
}

FD_TEST(filter, all_groups)
{
	struct addresses filter = {
		.head = { .flags = TUN_FLT_ALLMULTI, .count = 1 },
	};
	int sock;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	memcpy(filter.address[0], one, ETH_ALEN);
	EXPECT_EQ(1, do_ioctl(self->nic.fd, TUNSETTXFILTER, &filter));
	EXPECT_EQ(1, passes(&self->nic, sock, one));
	EXPECT_EQ(0, passes(&self->nic, sock, two));
	EXPECT_EQ(1, passes(&self->nic, sock, many));
	EXPECT_EQ(1, passes(&self->nic, sock, all));
	close(sock);
}

/* After the eighth, groups are known by a hash, which others may share. */
FD_TEST(filter, hashed_groups)
{
	unsigned char other[] = { 1, 0, 0x5e, 1, 0, 0 };
	struct addresses filter = { .head.count = 10 };
	int sock, i, same = 0, apart = 0;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < 8; i++) {
		memcpy(filter.address[i], one, ETH_ALEN);
		filter.address[i][4] = i;
	}
	memcpy(filter.address[8], many, ETH_ALEN);
	memcpy(filter.address[9], all, ETH_ALEN);
	EXPECT_EQ(8, do_ioctl(self->nic.fd, TUNSETTXFILTER, &filter));
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(1, passes(&self->nic, sock, filter.address[i]));
	}
	EXPECT_EQ(0, passes(&self->nic, sock, two));
	EXPECT_EQ(1, passes(&self->nic, sock, many));
	EXPECT_EQ(1, passes(&self->nic, sock, all));
	for (i = 0; i < 256 && (!same || apart < 8); i++) {
		other[5] = i;
		if (hash(other) == hash(many) || hash(other) == hash(all)) {
			EXPECT_EQ(1, passes(&self->nic, sock, other));
			same++;
		} else if (apart < 8) {
			EXPECT_EQ(0, passes(&self->nic, sock, other))
				TH_LOG("group %d", i);
			apart++;
		}
	}
	EXPECT_LT(0, same);

	/* A ninth that is no group cannot be hashed: there is no filter then. */
	memcpy(filter.address[8], one, ETH_ALEN);
	EXPECT_EQ(0, do_ioctl(self->nic.fd, TUNSETTXFILTER, &filter));
	EXPECT_EQ(1, passes(&self->nic, sock, two));
	EXPECT_EQ(1, passes(&self->nic, sock, many));
	close(sock);
}

FD_TEST(filter, bad_addresses)
{
	int page = sysconf(_SC_PAGESIZE);
	struct addresses filter = { .head.count = 1 };
	unsigned char *half = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct tun_filter *cut = (void *)(half + page - sizeof(*cut) - 6);
	int sock;

	ASSERT_EQ(0, munmap(half + page, page));
	memcpy(filter.address[0], one, ETH_ALEN);
	self->nic.fd = device_open(0);
	EXPECT_EQ(-EBADFD, do_ioctl(self->nic.fd, TUNSETTXFILTER, &filter));
	nic_close(&self->nic);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	if (variant->mode == IFF_TUN) {
		EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, TUNSETTXFILTER,
					    &filter));
		EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, TUNSETTXFILTER,
					    NULL));
		return;
	}
	EXPECT_EQ(1, do_ioctl(self->nic.fd, TUNSETTXFILTER, &filter));
	EXPECT_EQ(-EFAULT, do_ioctl(self->nic.fd, TUNSETTXFILTER, NULL));
	/* Only the first of two can be read. */
	cut->count = 2;
	cut->flags = 0;
	EXPECT_EQ(-EFAULT, do_ioctl(self->nic.fd, TUNSETTXFILTER, cut));
	/* The filter that there was is there still. */
	sock = packet_socket(self->nic.index);
	EXPECT_EQ(1, passes(&self->nic, sock, one));
	EXPECT_EQ(0, passes(&self->nic, sock, two));
	close(sock);
}

static int attach_filter(int fd, struct sock_filter *code, int count)
{
	struct sock_fprog prog = { .len = count, .filter = code };

	return neg(ioctl(fd, TUNATTACHFILTER, &prog));
}

static int keep(int fd, __u32 length)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, length) };

	return attach_filter(fd, code, 1);
}

FD_TEST(filter, classic)
{
	struct sock_filter by_type[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_TEST, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog back = { };
	unsigned char frame[100];
	int sock;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	EXPECT_EQ(IFF_NOFILTER, get_iff(self->nic.fd, NULL) & IFF_NOFILTER);
	ASSERT_EQ(0, keep(self->nic.fd, 0xffff));
	EXPECT_EQ(100, kept(self->nic.fd, sock, IFF_TAP));
	ASSERT_EQ(0, keep(self->nic.fd, 0));
	EXPECT_EQ(0, kept(self->nic.fd, sock, IFF_TAP));
	EXPECT_EQ(1, link_of(&self->nic).stats.tx_dropped);
	/* Any other number: that many bytes of it */
	ASSERT_EQ(0, keep(self->nic.fd, 20));
	EXPECT_EQ(20, kept(self->nic.fd, sock, IFF_TAP));
	ASSERT_EQ(0, keep(self->nic.fd, 100));
	EXPECT_EQ(100, kept(self->nic.fd, sock, IFF_TAP));

	ASSERT_EQ(0, attach_filter(self->nic.fd, by_type, 4));
	EXPECT_EQ(100, kept(self->nic.fd, sock, IFF_TAP));
	packet_fill(frame, IFF_TAP, 100, 1);
	frame[13]++;
	ASSERT_EQ(100, neg(send(sock, frame, 100, 0)));
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, frame, 100)));
	EXPECT_EQ(2, link_of(&self->nic).stats.tx_dropped);

	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNGETFILTER, &back));
	EXPECT_EQ(4, back.len);
	EXPECT_EQ(&by_type[0], back.filter);
	EXPECT_EQ(-EFAULT, do_ioctl(self->nic.fd, TUNGETFILTER, NULL));

	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNDETACHFILTER, 0));
	ASSERT_EQ(100, neg(send(sock, frame, 100, 0)));
	EXPECT_EQ(100, neg(read(self->nic.fd, frame, 100)));
	/* Once more, with none: no complaint */
	EXPECT_EQ(0, do_ioctl(self->nic.fd, TUNDETACHFILTER, 0));
	close(sock);
}

FD_TEST(filter, bit_that_says_there_is_none)
{
	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	/* Without IFF_NO_PI, which is the same bit */
	ASSERT_EQ(0, nic_open(&self->nic, "", variant->mode, 0));
	EXPECT_EQ(variant->mode | IFF_NOFILTER, get_iff(self->nic.fd, NULL));
	ASSERT_EQ(0, keep(self->nic.fd, 0xffff));
	EXPECT_EQ(variant->mode, get_iff(self->nic.fd, NULL));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNDETACHFILTER, 0));
	EXPECT_EQ(variant->mode | IFF_NOFILTER, get_iff(self->nic.fd, NULL));
}

FD_TEST(filter, bad_classic)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_IMM, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		{ .code = 0xffff },
	};
	struct sock_fprog hole = { .len = 1 };
	int sock;

	self->nic.fd = device_open(0);
	EXPECT_EQ(-EBADFD, keep(self->nic.fd, 0));
	EXPECT_EQ(-EBADFD, do_ioctl(self->nic.fd, TUNDETACHFILTER, 0));
	EXPECT_EQ(-EBADFD, do_ioctl(self->nic.fd, TUNGETFILTER, &hole));
	nic_close(&self->nic);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	if (variant->mode == IFF_TUN) {
		EXPECT_EQ(-EINVAL, keep(self->nic.fd, 0));
		EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, TUNDETACHFILTER, 0));
		EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, TUNGETFILTER, &hole));
		return;
	}
	ASSERT_EQ(0, keep(self->nic.fd, 20));
	EXPECT_EQ(-EFAULT, do_ioctl(self->nic.fd, TUNATTACHFILTER, NULL));
	EXPECT_EQ(-EINVAL, attach_filter(self->nic.fd, code, 0));
	/* Does not end in a return; what is no instruction; nothing there */
	EXPECT_EQ(-EINVAL, attach_filter(self->nic.fd, code, 1));
	EXPECT_EQ(-EINVAL, attach_filter(self->nic.fd, code, 3));
	EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, TUNATTACHFILTER, &hole));
	hole.filter = (void *)-4096L;
	EXPECT_EQ(-EFAULT, do_ioctl(self->nic.fd, TUNATTACHFILTER, &hole));
	EXPECT_EQ(-EINVAL, attach_filter(self->nic.fd, code, 65535));
	/* A refused one leaves the one that was there. */
	sock = packet_socket(self->nic.index);
	EXPECT_EQ(20, kept(self->nic.fd, sock, IFF_TAP));
	close(sock);
}

/* The device's: of every queue, also of one that comes later */
FD_TEST(filter, classic_on_every_queue)
{
	const int flags = variant->mode | IFF_MULTI_QUEUE;
	struct nic second, third, without;
	unsigned char frame[100], got[200];
	int sock, prog, i;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	OURS_ALONE("a queue that attaches to a device with a filter is lost");
	ASSERT_EQ(0, nic_open(&self->nic, "fl0", flags | IFF_NO_PI,
			      O_NONBLOCK));
	ASSERT_EQ(0, nic_open(&second, "fl0", flags, O_NONBLOCK));
	ASSERT_EQ(0, keep(second.fd, 20));
	ASSERT_EQ(0, nic_open(&third, "fl0", flags, O_NONBLOCK));
	/* IFF_NO_PI is also IFF_NOFILTER: this one is to be without. */
	ASSERT_EQ(0, nic_open(&without, "fl0", flags | IFF_NO_PI, O_NONBLOCK));
	ASSERT_EQ(0, if_up("fl0"));
	EXPECT_EQ(flags, get_iff(third.fd, NULL));
	EXPECT_EQ(flags, get_iff(second.fd, NULL));
	EXPECT_EQ(flags | IFF_NOFILTER, get_iff(without.fd, NULL));

	/* The queue is what the frame's seventh byte says. */
	prog = BPF(BPF_PROG_TYPE_SOCKET_FILTER,
		   MOVE(BPF_REG_6, BPF_REG_1),
		   INSN(BPF_LD | BPF_ABS | BPF_B, 0, 0, 0, 6),
		   EXIT());
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETSTEERINGEBPF, prog));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < 4; i++) {
		packet_fill(frame, IFF_TAP, 100, 1);
		frame[6] = i;
		ASSERT_EQ(100, neg(send(sock, frame, 100, 0)));
	}
	EXPECT_EQ(20, read_packet(self->nic.fd, got, 200));
	EXPECT_EQ(24, read_packet(second.fd, got, 200));
	EXPECT_EQ(24, read_packet(third.fd, got, 200));
	EXPECT_EQ(100, read_packet(without.fd, got, 200));

	/* Detached and attached again, a queue is as it was. */
	ASSERT_EQ(0, set_queue(without.fd, IFF_DETACH_QUEUE));
	ASSERT_EQ(0, set_queue(third.fd, IFF_DETACH_QUEUE));
	ASSERT_EQ(0, set_queue(third.fd, IFF_ATTACH_QUEUE));
	frame[6] = 2;
	ASSERT_EQ(100, neg(send(sock, frame, 100, 0)));
	EXPECT_EQ(24, read_packet(third.fd, got, 200));

	ASSERT_EQ(0, do_ioctl(third.fd, TUNDETACHFILTER, 0));
	ASSERT_EQ(100, neg(send(sock, frame, 100, 0)));
	EXPECT_EQ(104, read_packet(third.fd, got, 200));
	close(sock);
	nic_close(&without);
	nic_close(&third);
	nic_close(&second);
}

/* The next program inherits the filter, and is attached all the same. */
FD_TEST(filter, classic_of_the_device_before)
{
	struct sock_filter *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int sock;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	OURS_ALONE("a program that attaches to a device with a filter is lost");
	ASSERT_EQ(0, nic_open(&self->nic, "fl0", variant->mode, 0));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	code[0] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 20);
	ASSERT_EQ(0, attach_filter(self->nic.fd, code, 1));
	nic_close(&self->nic);
	/* It is the device's, not a pointer to what may have gone. */
	ASSERT_EQ(0, munmap(code, 4096));

	ASSERT_EQ(0, nic_open(&self->nic, "fl0", variant->mode, O_NONBLOCK));
	ASSERT_EQ(0, if_up("fl0"));
	EXPECT_EQ(variant->mode | IFF_PERSIST, get_iff(self->nic.fd, NULL));
	sock = packet_socket(self->nic.index);
	ASSERT_EQ(0, send_packets(sock, IFF_TAP, 100, 0, 1));
	EXPECT_EQ(24, read_packet(self->nic.fd, (unsigned char [200]) {}, 200));
	nic_close(&self->nic);
	ASSERT_EQ(0, nic_open(&self->nic, "fl0", variant->mode | IFF_NO_PI,
			      O_NONBLOCK));
	EXPECT_EQ(100, kept(self->nic.fd, sock, IFF_TAP));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 0));
	close(sock);
}

static int ebpf_keep(int length)
{
	return BPF(BPF_PROG_TYPE_SOCKET_FILTER, MOVE_IMM(BPF_REG_0, length),
		   EXIT());
}

FD_TEST(filter, program)
{
	int sock, prog;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	prog = ebpf_keep(0);
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETFILTEREBPF, prog));
	close(prog);
	EXPECT_EQ(0, kept(self->nic.fd, sock, variant->mode));
	EXPECT_EQ(1, link_of(&self->nic).stats.tx_dropped);
	prog = ebpf_keep(30);
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETFILTEREBPF, prog));
	EXPECT_EQ(30, kept(self->nic.fd, sock, variant->mode));
	prog = ebpf_keep(1 << 20);
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETFILTEREBPF, prog));
	EXPECT_EQ(100, kept(self->nic.fd, sock, variant->mode));
	/* All but its last byte */
	prog = BPF(BPF_PROG_TYPE_SOCKET_FILTER,
		   LOAD(BPF_W, BPF_REG_0, BPF_REG_1,
			offsetof(struct __sk_buff, len)),
		   ADD_IMM(BPF_REG_0, -1),
		   EXIT());
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETFILTEREBPF, prog));
	EXPECT_EQ(99, kept(self->nic.fd, sock, variant->mode));
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETFILTEREBPF, -1));
	EXPECT_EQ(100, kept(self->nic.fd, sock, variant->mode));
	/* A program with none to detach */
	EXPECT_EQ(0, set_number(self->nic.fd, TUNSETFILTEREBPF, -1));
	EXPECT_EQ(1, link_of(&self->nic).stats.tx_dropped);
	close(sock);
}

FD_TEST(filter, bad_program)
{
	int sock, prog, xdp;

	self->nic.fd = device_open(0);
	EXPECT_EQ(-EBADFD, set_number(self->nic.fd, TUNSETFILTEREBPF, -1));
	nic_close(&self->nic);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	prog = ebpf_keep(30);
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETFILTEREBPF, prog));
	xdp = BPF(BPF_PROG_TYPE_XDP, MOVE_IMM(BPF_REG_0, 0), EXIT());
	ASSERT_LE(0, xdp);
	EXPECT_EQ(-EINVAL, set_number(self->nic.fd, TUNSETFILTEREBPF, xdp));
	EXPECT_EQ(-EINVAL, set_number(self->nic.fd, TUNSETFILTEREBPF,
				      self->nic.fd));
	EXPECT_EQ(-EBADF, set_number(self->nic.fd, TUNSETFILTEREBPF, 999));
	EXPECT_EQ(-EBADF, set_number(self->nic.fd, TUNSETFILTEREBPF, -2));
	EXPECT_EQ(-EFAULT, do_ioctl(self->nic.fd, TUNSETFILTEREBPF, NULL));
	sock = packet_socket(self->nic.index);
	EXPECT_EQ(30, kept(self->nic.fd, sock, variant->mode));
	close(sock);
}

/* One after the other; the device outlives its programs, they outlive it not */
FD_TEST(filter, all_of_them)
{
	struct addresses filter = { .head.count = 1 };
	int sock, prog = ebpf_keep(30);

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	memcpy(filter.address[0], all, ETH_ALEN);
	ASSERT_EQ(1, do_ioctl(self->nic.fd, TUNSETTXFILTER, &filter));
	ASSERT_EQ(0, keep(self->nic.fd, 40));
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETFILTEREBPF, prog));
	EXPECT_EQ(30, kept(self->nic.fd, sock, IFF_TAP));
	/* What the first has cut off the second cannot bring back. */
	prog = ebpf_keep(50);
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETFILTEREBPF, prog));
	EXPECT_EQ(40, kept(self->nic.fd, sock, IFF_TAP));
	EXPECT_EQ(0, passes(&self->nic, sock, one));
	/* In the middle of it all the device goes. */
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EBADFD, do_ioctl(self->nic.fd, TUNDETACHFILTER, 0));
	close(sock);
}

TEST_HARNESS_MAIN
