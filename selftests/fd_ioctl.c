// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of the character device after (and before) TUNSETIFF.
 */
#include "fd.h"

#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

FD_FIXTURE(ioctl)

/* A number of this family that stands for nothing */
#define TUNUNKNOWN	_IOW('T', 250, int)

static int carrier(int fd, int on)
{
	return neg(ioctl(fd, TUNSETCARRIER, &on));
}

static int sndbuf(int fd)
{
	int value;

	return neg(ioctl(fd, TUNGETSNDBUF, &value)) ?: value;
}

static int set_sndbuf(int fd, int value)
{
	return neg(ioctl(fd, TUNSETSNDBUF, &value));
}

static int set_ifindex(int fd, int value)
{
	return neg(ioctl(fd, TUNSETIFINDEX, &value));
}

/* What /proc/self/fdinfo says after "@key:" and a tab */
static int fdinfo(int fd, const char *key, char *value, size_t size)
{
	char path[64], text[1024], start[32], *line;
	int info, len;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -errno;
	len = read(info, text, sizeof(text) - 1);
	close(info);
	if (len < 0)
		return -errno;
	text[len] = '\0';
	len = snprintf(start, sizeof(start), "\n%s:\t", key);
	line = strstr(text, start);
	if (!line)
		return -ENOENT;
	line += len;
	snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line);
	return 0;
}

static int iff_of(int fd, char *name, size_t size)
{
	return fdinfo(fd, "iff", name, size);
}

FD_TEST(ioctl, before_setiff)
{
	static const unsigned long early[] = {
		TUNGETIFF, TUNSETPERSIST, TUNSETOWNER, TUNSETGROUP, TUNSETLINK,
		TUNSETNOCSUM, TUNSETDEBUG, TUNSETOFFLOAD, TUNGETSNDBUF,
		TUNSETSNDBUF, TUNGETVNETHDRSZ, TUNSETVNETHDRSZ, TUNSETCARRIER,
		TUNSETVNETLE, TUNSETVNETBE, TUNSETTXFILTER, TUNGETDEVNETNS,
		SIOCGIFHWADDR, SIOCSIFHWADDR, SIOCGIFFLAGS, TUNUNKNOWN,
	};
	char room[64] = {};
	unsigned int i;

	self->nic.fd = device_open(0);
	ASSERT_LE(0, self->nic.fd);
	for (i = 0; i < ARRAY_SIZE(early); i++) {
		EXPECT_EQ(-EBADFD, neg(ioctl(self->nic.fd, early[i], room)))
			TH_LOG("ioctl %#lx", early[i]);
	}
	EXPECT_EQ(-EFAULT, neg(ioctl(self->nic.fd, SIOCGIFHWADDR, NULL)));
}

FD_TEST(ioctl, unknown)
{
	char room[64] = {};

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	EXPECT_EQ(-EINVAL, neg(ioctl(self->nic.fd, TUNUNKNOWN, room)));
	EXPECT_EQ(-EINVAL, neg(ioctl(self->nic.fd, SIOCGIFFLAGS, room)));
	EXPECT_EQ(-EINVAL, neg(ioctl(self->nic.fd, 0, room)));
	EXPECT_EQ(-EINVAL, neg(ioctl(self->nic.fd, FIONREAD, room)));
}

FD_TEST(ioctl, bad_pointers)
{
	static const unsigned long bad[] = {
		TUNGETIFF, TUNGETSNDBUF, TUNSETSNDBUF, TUNSETCARRIER,
		TUNGETFEATURES, SIOCGIFHWADDR, SIOCSIFHWADDR,
	};
	unsigned int i;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EFAULT, neg(ioctl(self->nic.fd, bad[i], NULL)))
			TH_LOG("ioctl %#lx", bad[i]);
		EXPECT_EQ(-EFAULT, neg(ioctl(self->nic.fd, bad[i], -4096L)))
			TH_LOG("ioctl %#lx", bad[i]);
	}
}

FD_TEST(ioctl, getiff)
{
	char name[IFNAMSIZ];

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	/* No filter attached, and that bit is the one of IFF_NO_PI. */
	EXPECT_EQ(variant->mode | IFF_NOFILTER, get_iff(self->nic.fd, name));
	EXPECT_STREQ("fd0", name);
	EXPECT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	EXPECT_EQ(variant->mode | IFF_NOFILTER | IFF_PERSIST,
		  get_iff(self->nic.fd, NULL));
	EXPECT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 0));
	EXPECT_EQ(variant->mode | IFF_NOFILTER, get_iff(self->nic.fd, NULL));

	ASSERT_EQ(0, if_rename("fd0", "renamed"));
	EXPECT_LE(0, get_iff(self->nic.fd, name));
	EXPECT_STREQ("renamed", name);
}

FD_TEST(ioctl, getiff_keeps_what_was_asked)
{
	int flags = variant->mode | IFF_NO_PI | IFF_ONE_QUEUE;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", flags, 0));
	EXPECT_EQ(flags, get_iff(self->nic.fd, NULL));
}

/* A bit is offered when it works, and then TUNGETIFF shows it back. */
FD_TEST(ioctl, features_are_those_that_work)
{
	static const int bits[] = {
		IFF_ONE_QUEUE, IFF_VNET_HDR, IFF_MULTI_QUEUE, IFF_NAPI,
		IFF_NO_PI, IFF_BACKPRESSURE,
	};
	const unsigned int all = IFF_TUN | IFF_TAP | IFF_NO_PI |
				 IFF_NO_CARRIER | IFF_ONE_QUEUE |
				 IFF_VNET_HDR | IFF_MULTI_QUEUE | IFF_NAPI |
				 IFF_NAPI_FRAGS | IFF_BACKPRESSURE;
	unsigned int offered = 0, i;

	self->nic.fd = device_open(0);
	ASSERT_LE(0, self->nic.fd);
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNGETFEATURES, &offered));
	nic_close(&self->nic);
	/* All that the newest tun has, on every kernel; nothing that is asked
	 * of a call rather than had by a device.
	 */
	EXPECT_EQ(all, offered | (in_tree() ? IFF_BACKPRESSURE : 0));

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		ASSERT_EQ(0, nic_open(&self->nic, "fd%d",
				      variant->mode | bits[i], 0))
			TH_LOG("flag %#x", bits[i]);
		EXPECT_EQ(offered & bits[i],
			  get_iff(self->nic.fd, NULL) & bits[i])
			TH_LOG("flag %#x", bits[i]);
	}
}

FD_TEST(ioctl, persist)
{
	struct link link;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	nic_close(&self->nic);
	ASSERT_EQ(0, link_get(self->nic.index, &link));
	EXPECT_EQ(0, link.carrier);
	/* Nobody is there who could receive. */
	EXPECT_EQ(-EPERM, link_carrier(self->nic.index, 1));

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	EXPECT_EQ(1, link_of(&self->nic).carrier);
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 0));
	EXPECT_LT(0, if_index("fd0"));
	nic_close(&self->nic);
	EXPECT_EQ(-ENODEV, if_index("fd0"));
}

FD_TEST(ioctl, bad_owner_and_group)
{
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	EXPECT_EQ(-EINVAL, neg(ioctl(self->nic.fd, TUNSETOWNER, -1L)));
	EXPECT_EQ(-EINVAL, neg(ioctl(self->nic.fd, TUNSETGROUP, -1L)));
}

FD_TEST(ioctl, link_type)
{
	struct ifreq ifr = {};

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETLINK, ARPHRD_PPP));
	EXPECT_EQ(ARPHRD_PPP, link_of(&self->nic).type);
	EXPECT_EQ(0, do_ioctl(self->nic.fd, SIOCGIFHWADDR, &ifr));
	EXPECT_EQ(ARPHRD_PPP, ifr.ifr_hwaddr.sa_family);
	EXPECT_EQ(0, link_of(&self->nic).address);
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETLINK, ARPHRD_TUNNEL));
	EXPECT_EQ(4, link_of(&self->nic).address);
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETLINK, ARPHRD_ETHER));
	EXPECT_EQ(ETH_ALEN, link_of(&self->nic).address);

	ASSERT_EQ(0, if_up("fd0"));
	EXPECT_EQ(-EBUSY, neg(ioctl(self->nic.fd, TUNSETLINK, ARPHRD_PPP)));
	EXPECT_EQ(ARPHRD_ETHER, link_of(&self->nic).type);
	ASSERT_EQ(0, if_down("fd0"));
	EXPECT_EQ(0, do_ioctl(self->nic.fd, TUNSETLINK, ARPHRD_PPP));
}

FD_TEST(ioctl, send_buffer)
{
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	EXPECT_EQ(INT32_MAX, sndbuf(self->nic.fd));
	EXPECT_EQ(0, set_sndbuf(self->nic.fd, 4096));
	EXPECT_EQ(4096, sndbuf(self->nic.fd));
	EXPECT_EQ(-EINVAL, set_sndbuf(self->nic.fd, 0));
	EXPECT_EQ(-EINVAL, set_sndbuf(self->nic.fd, -1));
	EXPECT_EQ(-EINVAL, set_sndbuf(self->nic.fd, INT32_MIN));
	EXPECT_EQ(4096, sndbuf(self->nic.fd));
	EXPECT_EQ(0, set_sndbuf(self->nic.fd, INT32_MAX));
	EXPECT_EQ(INT32_MAX, sndbuf(self->nic.fd));
}

/* No room to send: poll says so, and says when there is. */
FD_TEST(ioctl, send_buffer_and_poll)
{
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	EXPECT_EQ(POLLOUT, poll_now(self->nic.fd, POLLIN | POLLOUT));
	ASSERT_EQ(0, set_sndbuf(self->nic.fd, 1));
	EXPECT_EQ(0, poll_now(self->nic.fd, POLLIN | POLLOUT));
	ASSERT_EQ(0, set_sndbuf(self->nic.fd, 65536));
	EXPECT_EQ(POLLOUT, poll_now(self->nic.fd, POLLIN | POLLOUT));
}

FD_TEST(ioctl, carrier)
{
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	EXPECT_EQ(1, link_of(&self->nic).carrier);
	EXPECT_EQ(0, carrier(self->nic.fd, 0));
	EXPECT_EQ(0, link_of(&self->nic).carrier);
	EXPECT_EQ(0, carrier(self->nic.fd, 1));
	EXPECT_EQ(1, link_of(&self->nic).carrier);
	EXPECT_EQ(0, carrier(self->nic.fd, 0));
	EXPECT_EQ(0, carrier(self->nic.fd, 0));
	EXPECT_EQ(0, carrier(self->nic.fd, 0x100));
	EXPECT_EQ(1, link_of(&self->nic).carrier);

	EXPECT_EQ(0, link_carrier(self->nic.index, 0));
	EXPECT_EQ(0, link_of(&self->nic).carrier);
	EXPECT_EQ(0, link_carrier(self->nic.index, 1));
	EXPECT_EQ(1, link_of(&self->nic).carrier);
}

FD_TEST(ioctl, ifindex)
{
	int fd = device_open(0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EFAULT, neg(ioctl(fd, TUNSETIFINDEX, NULL)));
	EXPECT_EQ(-EINVAL, set_ifindex(fd, -1));
	ASSERT_EQ(0, set_ifindex(fd, 1));
	/* The loopback's */
	EXPECT_EQ(-EBUSY, nic_attach(&self->nic, fd, "fd0", variant->mode));
	self->nic.fd = -1;
	ASSERT_EQ(0, set_ifindex(fd, 4711));
	ASSERT_EQ(0, nic_attach(&self->nic, fd, "fd0", variant->mode));
	EXPECT_EQ(4711, self->nic.index);
	EXPECT_EQ(-EPERM, set_ifindex(fd, 4712));
	EXPECT_EQ(-EPERM, neg(ioctl(fd, TUNSETIFINDEX, NULL)));
}

FD_TEST(ioctl, ifindex_0_is_any)
{
	int fd = device_open(0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set_ifindex(fd, 4711));
	ASSERT_EQ(0, set_ifindex(fd, 0));
	ASSERT_EQ(0, nic_attach(&self->nic, fd, "fd0", variant->mode));
	EXPECT_NE(4711, self->nic.index);
}

FD_TEST(ioctl, device_namespace)
{
	int home = namespace_fd(), away, got;

	ASSERT_LE(0, home);
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	got = neg(ioctl(self->nic.fd, TUNGETDEVNETNS));
	ASSERT_LE(0, got);
	EXPECT_EQ(inode_of(home), inode_of(got));
	close(got);

	ASSERT_EQ(0, namespace_new());
	away = namespace_fd();
	ASSERT_EQ(0, setns(home, CLONE_NEWNET));
	ASSERT_EQ(0, link_move(self->nic.index, away));
	got = neg(ioctl(self->nic.fd, TUNGETDEVNETNS));
	ASSERT_LE(0, got);
	EXPECT_EQ(inode_of(away), inode_of(got));
	EXPECT_NE(inode_of(home), inode_of(got));
	/* An fd that setns() takes: the device is there. */
	ASSERT_EQ(0, setns(got, CLONE_NEWNET));
	EXPECT_LT(0, if_index("fd0"));
	close(got);
}

/* The namespace of the file itself stays that of open(2). */
FD_TEST(ioctl, file_namespace)
{
	int home = namespace_fd(), got;

	ASSERT_LE(0, home);
	self->nic.fd = device_open(0);
	ASSERT_LE(0, self->nic.fd);
	ASSERT_EQ(0, namespace_new());
	got = neg(ioctl(self->nic.fd, SIOCGSKNS));
	ASSERT_LE(0, got);
	EXPECT_EQ(inode_of(home), inode_of(got));
	close(got);
}

static int ask_for_namespace(void *arg)
{
	return become(USER, USER) ?: neg(ioctl(*(int *)arg, TUNGETDEVNETNS));
}

FD_TEST(ioctl, device_namespace_needs_a_privilege)
{
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	EXPECT_EQ(-EPERM, in_child(ask_for_namespace, &self->nic.fd));
}

FD_TEST(ioctl, hardware_address)
{
	static const unsigned char mac[] = { 2, 0, 0x5e, 1, 2, 3 };
	struct ifreq ifr = {}, seen = { .ifr_name = "fd0" };

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, SIOCGIFHWADDR, &ifr));
	ASSERT_EQ(0, if_ioctl(SIOCGIFHWADDR, &seen));
	EXPECT_EQ(0, memcmp(&ifr.ifr_hwaddr, &seen.ifr_hwaddr,
			    sizeof(ifr.ifr_hwaddr)));
	if (variant->mode == IFF_TUN) {
		EXPECT_EQ(ARPHRD_NONE, ifr.ifr_hwaddr.sa_family);
		EXPECT_EQ(-EOPNOTSUPP, neg(ioctl(self->nic.fd, SIOCSIFHWADDR,
						 &ifr)));
		return;
	}
	EXPECT_EQ(ARPHRD_ETHER, ifr.ifr_hwaddr.sa_family);
	/* Locally administered, not a group, and one of its own */
	EXPECT_EQ(2, ifr.ifr_hwaddr.sa_data[0] & 3);

	memcpy(ifr.ifr_hwaddr.sa_data, mac, ETH_ALEN);
	ASSERT_EQ(0, do_ioctl(self->nic.fd, SIOCSIFHWADDR, &ifr));
	ASSERT_EQ(0, if_ioctl(SIOCGIFHWADDR, &seen));
	EXPECT_EQ(0, memcmp(mac, seen.ifr_hwaddr.sa_data, ETH_ALEN));
	/* Even while it is up */
	ASSERT_EQ(0, if_up("fd0"));
	ifr.ifr_hwaddr.sa_data[5] = 4;
	EXPECT_EQ(0, do_ioctl(self->nic.fd, SIOCSIFHWADDR, &ifr));

	ifr.ifr_hwaddr.sa_data[0] = 1;
	EXPECT_EQ(-EADDRNOTAVAIL, neg(ioctl(self->nic.fd, SIOCSIFHWADDR,
					    &ifr)));
	ifr.ifr_hwaddr.sa_data[0] = 2;
	ifr.ifr_hwaddr.sa_family = ARPHRD_PPP;
	EXPECT_EQ(-EINVAL, neg(ioctl(self->nic.fd, SIOCSIFHWADDR, &ifr)));
	ASSERT_EQ(0, if_ioctl(SIOCGIFHWADDR, &seen));
	EXPECT_EQ(4, seen.ifr_hwaddr.sa_data[5]);
	EXPECT_EQ(2, seen.ifr_hwaddr.sa_data[0]);
}

FD_TEST(ioctl, addresses_differ)
{
	struct ifreq a = {}, b = {};
	struct nic second;

	if (variant->mode == IFF_TUN)
		SKIP(return, "layer 3 has no addresses of this kind");
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	ASSERT_EQ(0, nic_open(&second, "fd1", variant->mode, 0));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, SIOCGIFHWADDR, &a));
	ASSERT_EQ(0, do_ioctl(second.fd, SIOCGIFHWADDR, &b));
	EXPECT_NE(0, memcmp(a.ifr_hwaddr.sa_data, b.ifr_hwaddr.sa_data,
			    ETH_ALEN));
	close(second.fd);
}

FD_TEST(ioctl, fdinfo)
{
	char name[64] = "?";

	self->nic.fd = device_open(0);
	ASSERT_LE(0, self->nic.fd);
	ASSERT_EQ(0, iff_of(self->nic.fd, name, sizeof(name)));
	EXPECT_STREQ("", name);
	ASSERT_EQ(0, nic_attach(&self->nic, self->nic.fd, "fd0",
				variant->mode));
	ASSERT_EQ(0, iff_of(self->nic.fd, name, sizeof(name)));
	EXPECT_STREQ("fd0", name);
	ASSERT_EQ(0, if_rename("fd0", "renamed"));
	ASSERT_EQ(0, iff_of(self->nic.fd, name, sizeof(name)));
	EXPECT_STREQ("renamed", name);
	ASSERT_EQ(0, link_delete(self->nic.index));
	ASSERT_EQ(0, iff_of(self->nic.fd, name, sizeof(name)));
	EXPECT_STREQ("", name);
}

FD_TEST(ioctl, without_effect)
{
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	EXPECT_EQ(0, do_ioctl(self->nic.fd, TUNSETNOCSUM, 1));
	EXPECT_EQ(0, do_ioctl(self->nic.fd, TUNSETDEBUG, 0));
}

/* What the file is, beside the name that tun tells too */
FD_TEST(ioctl, fdinfo_of_a_queue)
{
	const int flags = variant->mode | IFF_NO_PI | IFF_MULTI_QUEUE;
	struct nic second;
	char value[64];

	OURS_ALONE("tells the name alone");
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", flags, 0));
	ASSERT_EQ(0, nic_open(&second, "fd0", flags | IFF_VNET_HDR, 0));
	ASSERT_EQ(0, fdinfo(second.fd, "vnic-flags", value, sizeof(value)));
	/* Its own framing, which TUNGETIFF tells with what the device is */
	EXPECT_EQ(IFF_NO_PI | IFF_VNET_HDR, strtol(value, NULL, 0));
	ASSERT_EQ(0, fdinfo(second.fd, "vnic-queue", value, sizeof(value)));
	EXPECT_STREQ("1", value);
	ASSERT_EQ(0, fdinfo(self->nic.fd, "vnic-queue", value, sizeof(value)));
	EXPECT_STREQ("0", value);
	ASSERT_EQ(0, set_queue(second.fd, IFF_DETACH_QUEUE));
	ASSERT_EQ(0, fdinfo(second.fd, "vnic-queue", value, sizeof(value)));
	EXPECT_STREQ("-1", value);
	close(second.fd);
}

/* Attaching and detaching queues is for devices that have many. */
FD_TEST(ioctl, queue_of_a_single_queue_device)
{
	struct ifreq attach = { .ifr_flags = IFF_ATTACH_QUEUE };
	struct ifreq detach = { .ifr_flags = IFF_DETACH_QUEUE };

	self->nic.fd = device_open(0);
	ASSERT_LE(0, self->nic.fd);
	EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, TUNSETQUEUE, &attach));
	EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, TUNSETQUEUE, &detach));
	EXPECT_EQ(-EFAULT, do_ioctl(self->nic.fd, TUNSETQUEUE, NULL));
	ASSERT_EQ(0, nic_attach(&self->nic, self->nic.fd, "fd0",
				variant->mode));
	EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, TUNSETQUEUE, &attach));
	EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, TUNSETQUEUE, &detach));
}

/* What programs ask for to find out what there is */
FD_TEST(ioctl, offloads)
{
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	EXPECT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD, 0));
	EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, TUNSETOFFLOAD, 0x8000));
}

FD_TEST(ioctl, mtu_bounds)
{
	int most = 65535 - variant->header;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	EXPECT_EQ(-EINVAL, if_set("fd0", SIOCSIFMTU, 67));
	EXPECT_EQ(0, if_set("fd0", SIOCSIFMTU, 68));
	EXPECT_EQ(0, if_set("fd0", SIOCSIFMTU, most));
	EXPECT_EQ(-EINVAL, if_set("fd0", SIOCSIFMTU, most + 1));
	EXPECT_EQ(most, link_of(&self->nic).mtu);
}

struct slow {
	pthread_t thread;
	int fd;
	int tid;
	void *page;
	int result;
	bool done;
};

static void *slow_body(void *arg)
{
	struct slow *slow = arg;

	__atomic_store_n(&slow->tid, gettid(), __ATOMIC_RELEASE);
	slow->result = do_ioctl(slow->fd, TUNSETIFINDEX, slow->page);
	__atomic_store_n(&slow->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* A page that comes when we give it; returns what to give it with. */
static int slow_page(void **page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return -errno;
	*page = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (unsigned long)*page;
	reg.range.len = getpagesize();
	return ioctl(fd, UFFDIO_REGISTER, &reg) ? -errno : fd;
}

/* Who has slow memory must not make others wait for RTNL. */
FD_TEST(ioctl, memory_that_is_slow_to_come)
{
	struct uffdio_zeropage zero = {};
	struct slow slow = {};
	int uffd;

	if (in_tree())
		SKIP(return, "tun reads with RTNL held");
	uffd = slow_page(&slow.page);
	if (uffd < 0)
		SKIP(return, "no userfaultfd: %s", strerror(-uffd));
	slow.fd = device_open(0);
	ASSERT_LE(0, slow.fd);
	ASSERT_EQ(0, pthread_create(&slow.thread, NULL, slow_body, &slow));
	ASSERT_TRUE(WAIT_FOR(__atomic_load_n(&slow.tid, __ATOMIC_ACQUIRE) &&
			     sleeps(getpid(), slow.tid)));
	/* Takes RTNL; the harness ends a test that does not get it. */
	EXPECT_EQ(0, if_up("lo"));
	EXPECT_FALSE(__atomic_load_n(&slow.done, __ATOMIC_ACQUIRE));

	zero.range.start = (unsigned long)slow.page;
	zero.range.len = getpagesize();
	EXPECT_EQ(0, ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
	pthread_join(slow.thread, NULL);
	EXPECT_EQ(0, slow.result);
	close(slow.fd);
	close(uffd);
}

TEST_HARNESS_MAIN
