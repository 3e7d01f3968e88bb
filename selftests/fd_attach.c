// SPDX-License-Identifier: GPL-2.0
/*
 * TUNSETIFF: which device a program gets, and who is refused.
 */
#include "fd.h"

#include <sys/mman.h>

FD_FIXTURE(attach)

#define ENABLE_USERNS	"sysctl kernel.unprivileged_userns_clone=1"

/* What in_child() needs to try an attach with somebody's privileges */
struct attempt {
	int fd;
	const char *name;
	int flags;
	uid_t uid;
	gid_t gid;
};

static int attempt(void *arg)
{
	struct attempt *a = arg;
	struct nic nic;

	return become(a->uid, a->gid) ?:
	       nic_attach(&nic, a->fd, a->name, a->flags);
}

/* As user @uid and group @gid, on an fd that root has opened */
static int attach_as(const char *name, int flags, uid_t uid, gid_t gid)
{
	struct attempt a = {
		.fd = device_open(0),
		.name = name, .flags = flags, .uid = uid, .gid = gid,
	};
	int result;

	if (a.fd < 0)
		return a.fd;
	result = in_child(attempt, &a);
	close(a.fd);
	return result;
}

/* A device that waits for its program: persistent, nobody attached */
static int leave_behind(const char *name, int flags, long owner, long group)
{
	struct nic nic;
	int result = nic_open(&nic, name, flags, 0);

	if (result)
		return result;
	result = neg(ioctl(nic.fd, TUNSETPERSIST, 1));
	if (!result && owner >= 0)
		result = neg(ioctl(nic.fd, TUNSETOWNER, owner));
	if (!result && group >= 0)
		result = neg(ioctl(nic.fd, TUNSETGROUP, group));
	close(nic.fd);
	return result;
}

FD_TEST(attach, makes_a_device_that_goes_with_its_fd)
{
	struct link link;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	EXPECT_STREQ("fd0", self->nic.name);
	ASSERT_EQ(0, link_get(self->nic.index, &link));
	EXPECT_STREQ(in_tree() ? variant->in_tree_kind : variant->kind,
		     link.kind);
	EXPECT_EQ(1500, link.mtu);
	/* tun asks for 500 for both; ether_setup() overrules it for tap. */
	EXPECT_EQ(variant->mode == IFF_TAP ? 1000 : 500, link.qlen);
	EXPECT_EQ(1, link.carrier);
	if (variant->mode == IFF_TUN) {
		EXPECT_EQ(ARPHRD_NONE, link.type);
		EXPECT_EQ(0, link.address);
		EXPECT_EQ(IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST,
			  link.flags & ~IFF_LOWER_UP);
	} else {
		EXPECT_EQ(ARPHRD_ETHER, link.type);
		EXPECT_EQ(ETH_ALEN, link.address);
		EXPECT_EQ(IFF_BROADCAST | IFF_MULTICAST,
			  link.flags & ~IFF_LOWER_UP);
	}

	nic_close(&self->nic);
	EXPECT_EQ(-ENODEV, if_index("fd0"));
}

FD_TEST(attach, no_name_gives_the_default)
{
	char want[IFNAMSIZ];
	struct nic second;

	ASSERT_EQ(0, nic_open(&self->nic, "", variant->mode, 0));
	snprintf(want, sizeof(want), "%s0", variant->stem);
	EXPECT_STREQ(want, self->nic.name);
	ASSERT_EQ(0, nic_open(&second, "", variant->mode, 0));
	snprintf(want, sizeof(want), "%s1", variant->stem);
	EXPECT_STREQ(want, second.name);
	close(second.fd);
}

FD_TEST(attach, pattern_is_filled_in)
{
	struct nic second;

	ASSERT_EQ(0, nic_open(&self->nic, "vpn%d", variant->mode, 0));
	EXPECT_STREQ("vpn0", self->nic.name);
	ASSERT_EQ(0, nic_open(&second, "vpn%d", variant->mode, 0));
	EXPECT_STREQ("vpn1", second.name);
	close(second.fd);
}

FD_TEST(attach, bad_name)
{
	static const char *const bad[] = { "a%db%d", "a%s", "a/b", "a b", ".." };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, nic_open(&self->nic, bad[i],
					    variant->mode, 0))
			TH_LOG("bad name %u", i);
	}
	self->nic.fd = -1;
}

FD_TEST(attach, longest_name_and_one_without_end)
{
	char endless[IFNAMSIZ];

	memset(endless, 'x', sizeof(endless));
	self->nic.fd = device_open(0);
	ASSERT_LE(0, self->nic.fd);
	ASSERT_EQ(0, set_iff(self->nic.fd, endless, variant->mode));
	EXPECT_STREQ("xxxxxxxxxxxxxxx", endless);
	EXPECT_LT(0, if_index("xxxxxxxxxxxxxxx"));
}

FD_TEST(attach, twice_on_one_fd)
{
	struct nic again;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	EXPECT_EQ(-EEXIST, nic_attach(&again, self->nic.fd, "fd0",
				      variant->mode));
	EXPECT_EQ(-EEXIST, nic_attach(&again, self->nic.fd, "fd1",
				      variant->mode));
	EXPECT_EQ(-EEXIST, nic_attach(&again, self->nic.fd, "", 0));
	EXPECT_EQ(-EFAULT, neg(ioctl(self->nic.fd, TUNSETIFF, NULL)));
	EXPECT_EQ(-ENODEV, if_index("fd1"));
}

/* A device that the program cannot be told of is none. */
FD_TEST(attach, answer_that_cannot_be_written)
{
	struct ifreq *ifr = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (in_tree())
		SKIP(return, "with tun the device stays");
	ASSERT_NE(MAP_FAILED, ifr);
	snprintf(ifr->ifr_name, IFNAMSIZ, "fd0");
	ifr->ifr_flags = variant->mode;
	ASSERT_EQ(0, mprotect(ifr, 4096, PROT_READ));
	self->nic.fd = device_open(0);
	ASSERT_LE(0, self->nic.fd);
	EXPECT_EQ(-EFAULT, do_ioctl(self->nic.fd, TUNSETIFF, ifr));
	EXPECT_EQ(-ENODEV, if_index("fd0"));
	EXPECT_EQ(-EBADFD, get_iff(self->nic.fd, NULL));
	/* And the file is as good as new. */
	ASSERT_EQ(0, nic_attach(&self->nic, self->nic.fd, "fd0",
				variant->mode));
	munmap(ifr, 4096);
}

/* Programs set bits that mean something else, or nothing: always let in. */
FD_TEST(attach, unknown_flags_are_let_in)
{
	static const int bits[] = {
		0x0004, 0x0008, 0x0010, 0x0080, 0x0200, 0x0400, 0x2000, 0x0800,
	};
	unsigned int i;
	int flags;

	/* All stay open to the end: to take a device away needs much time. */
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		ASSERT_EQ(0, nic_open(&self->nic, "fd%d",
				      variant->mode | bits[i], 0))
			TH_LOG("flag %#x", bits[i]);
		flags = get_iff(self->nic.fd, NULL);
		EXPECT_EQ(variant->mode, flags & 3);
		EXPECT_EQ(0, flags & 0x0e0c) TH_LOG("flag %#x", bits[i]);
	}
	/* The last one was IFF_PERSIST: not to be had this way */
	nic_close(&self->nic);
	EXPECT_EQ(-ENODEV, if_index(self->nic.name));
}

FD_TEST(attach, neither_tun_nor_tap)
{
	EXPECT_EQ(-EINVAL, nic_open(&self->nic, "fd0", IFF_NO_PI, 0));
	EXPECT_EQ(-EINVAL, nic_open(&self->nic, "", 0, 0));
	EXPECT_EQ(-ENODEV, if_index("fd0"));
	ASSERT_EQ(0, leave_behind("fd0", variant->mode, -1, -1));
	EXPECT_EQ(-EINVAL, nic_open(&self->nic, "fd0", IFF_NO_PI, 0));
	self->nic.fd = -1;
}

FD_TEST(attach, both_is_tun)
{
	ASSERT_EQ(0, nic_open(&self->nic, "", IFF_TUN | IFF_TAP, 0));
	EXPECT_STREQ("tun0", self->nic.name);
	EXPECT_EQ(IFF_TUN, get_iff(self->nic.fd, NULL) & 3);
}

FD_TEST(attach, name_of_another_driver)
{
	EXPECT_EQ(-EINVAL, nic_open(&self->nic, "lo", variant->mode, 0));
	EXPECT_EQ(-EBUSY, nic_open(&self->nic, "lo",
				   variant->mode | IFF_TUN_EXCL, 0));
	self->nic.fd = -1;
}

FD_TEST(attach, name_of_the_other_mode)
{
	ASSERT_EQ(0, leave_behind("fd0", variant->mode ^ 3, -1, -1));
	EXPECT_EQ(-EINVAL, nic_open(&self->nic, "fd0", variant->mode, 0));
	self->nic.fd = -1;
}

FD_TEST(attach, second_program_is_refused)
{
	struct nic second;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	EXPECT_EQ(-EBUSY, nic_open(&second, "fd0", variant->mode, 0));
	/* The refused one has done no harm, and may try again later. */
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	second.fd = device_open(0);
	EXPECT_EQ(-EBUSY, nic_attach(&second, second.fd, "fd0", variant->mode));
	EXPECT_EQ(-EBADFD, get_iff(second.fd, NULL));
	nic_close(&self->nic);
	EXPECT_EQ(0, nic_attach(&second, second.fd, "fd0", variant->mode));
	close(second.fd);
}

FD_TEST(attach, exclusive)
{
	ASSERT_EQ(0, leave_behind("fd0", variant->mode, -1, -1));
	EXPECT_EQ(-EBUSY, nic_open(&self->nic, "fd0",
				   variant->mode | IFF_TUN_EXCL, 0));
	EXPECT_EQ(0, nic_open(&self->nic, "fd1",
			      variant->mode | IFF_TUN_EXCL, 0));
}

FD_TEST(attach, no_carrier_is_a_choice)
{
	ASSERT_EQ(0, nic_open(&self->nic, "fd0",
			      variant->mode | IFF_NO_CARRIER, 0));
	EXPECT_EQ(0, link_of(&self->nic).carrier);
}

/* The last attach decides on the packet information header. */
FD_TEST(attach, flags_of_the_next_program)
{
	ASSERT_EQ(0, leave_behind("fd0", variant->mode | IFF_NO_PI, -1, -1));
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, O_NONBLOCK));
	ASSERT_EQ(0, if_up("fd0"));
	/* 3 bytes: too short only where a header of 4 is wanted */
	EXPECT_EQ(-EINVAL, neg(write(self->nic.fd, "\x45__", 3)));
	nic_close(&self->nic);
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode | IFF_NO_PI, 0));
	EXPECT_EQ(variant->mode == IFF_TUN ? 3 : -EINVAL,
		  neg(write(self->nic.fd, "\x45__", 3)));
}

FD_TEST(attach, creating_needs_a_privilege)
{
	EXPECT_EQ(-EPERM, attach_as("fd0", variant->mode, USER, USER));
	EXPECT_EQ(-EPERM, attach_as("", variant->mode, USER, USER));
	EXPECT_EQ(-ENODEV, if_index("fd0"));
}

FD_TEST(attach, node_lets_everybody_open)
{
	struct stat st;

	if (in_tree())
		SKIP(return, "udev alone opens the in-tree node to everybody");
	ASSERT_EQ(0, stat(device_path(), &st));
	EXPECT_EQ(S_IFCHR | 0666, st.st_mode);
}

FD_TEST(attach, owner_may)
{
	ASSERT_EQ(0, leave_behind("fd0", variant->mode, USER, -1));
	EXPECT_EQ(0, attach_as("fd0", variant->mode, USER, OTHER));
	EXPECT_EQ(-EPERM, attach_as("fd0", variant->mode, OTHER, USER));
	EXPECT_EQ(0, attach_as("fd0", variant->mode, 0, 0));
	EXPECT_LT(0, if_index("fd0"));
}

FD_TEST(attach, group_may)
{
	ASSERT_EQ(0, leave_behind("fd0", variant->mode, -1, USER));
	EXPECT_EQ(0, attach_as("fd0", variant->mode, OTHER, USER));
	EXPECT_EQ(-EPERM, attach_as("fd0", variant->mode, USER, OTHER));
}

FD_TEST(attach, owner_and_group_must_both_match)
{
	ASSERT_EQ(0, leave_behind("fd0", variant->mode, USER, USER));
	EXPECT_EQ(-EPERM, attach_as("fd0", variant->mode, USER, OTHER));
	EXPECT_EQ(-EPERM, attach_as("fd0", variant->mode, OTHER, USER));
	EXPECT_EQ(0, attach_as("fd0", variant->mode, USER, USER));
}

FD_TEST(attach, nobody_named_means_privileged_only)
{
	if (in_tree())
		SKIP(return, "in-tree tun before 7.x lets everybody in here");
	ASSERT_EQ(0, leave_behind("fd0", variant->mode, -1, -1));
	EXPECT_EQ(-EPERM, attach_as("fd0", variant->mode, USER, USER));
	EXPECT_EQ(0, attach_as("fd0", variant->mode, 0, 0));
}

/* Busy or not, he who may not attach learns nothing but that. */
FD_TEST(attach, permission_comes_before_busy)
{
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOWNER, USER));
	EXPECT_EQ(-EPERM, attach_as("fd0", variant->mode, OTHER, OTHER));
	EXPECT_EQ(-EBUSY, attach_as("fd0", variant->mode, USER, USER));
}

/* In a user namespace of its own, somebody without any privilege outside */
static int own_user_namespace(void *arg)
{
	struct attempt *a = arg;
	unsigned char data[64];
	struct nic nic;
	struct stat st;
	int result, sock;

	/* In-tree's node may be root's alone; the namespace is what counts. */
	if (stat(device_path(), &st))
		return -errno;
	if ((st.st_mode & 0006) == 0006) {
		result = become(USER, USER);
		if (result)
			return result;
	}
	if (unshare(CLONE_NEWUSER))
		return -EUSERS;
	/* Not yet: this is still the namespace of the parent. */
	result = nic_open(&nic, "", a->flags, 0);
	if (result != -EPERM)
		return result ?: -EACCES;
	if (unshare(CLONE_NEWNET))
		return -errno;
	write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	result = nic_start(&nic, a->flags);
	if (result)
		return result;
	sock = packet_socket(nic.index);
	if (sock < 0)
		return sock;
	packet_fill(data, a->flags, sizeof(data), 1);
	if (write(nic.fd, data, sizeof(data)) != sizeof(data))
		return -errno;
	return receive(sock, data, sizeof(data), NULL);
}

FD_TEST(attach, unprivileged_user_namespace)
{
	struct attempt a = { .flags = variant->mode };
	int result = in_child(own_user_namespace, &a);

	if (result == -EUSERS)
		SKIP(return, "no user namespaces: %s", ENABLE_USERNS);
	EXPECT_EQ(64, result);
}

static int foreign_namespace(void *arg)
{
	struct attempt *a = arg;
	struct nic nic;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -EUSERS;
	/* Opened outside: that namespace is the one that counts. */
	return nic_attach(&nic, a->fd, a->name, a->flags);
}

FD_TEST(attach, namespace_of_another_owner)
{
	struct attempt a = {
		.fd = device_open(0), .name = "fd0", .flags = variant->mode,
	};
	int result;

	ASSERT_LE(0, a.fd);
	result = in_child(foreign_namespace, &a);
	if (result == -EUSERS)
		SKIP(return, "no user namespaces: %s", ENABLE_USERNS);
	EXPECT_EQ(-EPERM, result);
	ASSERT_EQ(0, leave_behind("fd0", variant->mode, OTHER, -1));
	EXPECT_EQ(-EPERM, in_child(foreign_namespace, &a));
	close(a.fd);
}

FD_TEST(attach, namespace_is_that_of_open)
{
	int first = namespace_fd(), fd = device_open(0);
	char made[IFNAMSIZ] = "fd0", found[IFNAMSIZ] = "old";

	ASSERT_LE(0, first);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, leave_behind("old", variant->mode, -1, -1));
	self->nic.fd = device_open(0);
	ASSERT_LE(0, self->nic.fd);
	ASSERT_EQ(0, namespace_new());
	EXPECT_EQ(0, set_iff(fd, made, variant->mode));
	EXPECT_EQ(0, set_iff(self->nic.fd, found, variant->mode));
	EXPECT_EQ(-ENODEV, if_index("fd0"));
	EXPECT_EQ(-ENODEV, if_index("old"));
	ASSERT_EQ(0, setns(first, CLONE_NEWNET));
	EXPECT_LT(0, if_index("fd0"));
	EXPECT_EQ(-EBUSY, nic_open(&self->nic, "old", variant->mode, 0));
	close(fd);
}

FD_TEST(attach, device_made_by_netlink)
{
	struct nic again;
	struct link link;
	int index;

	if (in_tree())
		SKIP(return, "in-tree tun is not made by netlink");
	ASSERT_EQ(0, link_add(variant->kind, "nl0"));
	index = if_index("nl0");
	ASSERT_LT(0, index);
	ASSERT_EQ(0, link_get(index, &link));
	EXPECT_EQ(0, link.carrier);

	EXPECT_EQ(-EBUSY, nic_open(&self->nic, "nl0",
				   variant->mode | IFF_TUN_EXCL, 0));
	EXPECT_EQ(-EINVAL, nic_open(&self->nic, "nl0", variant->mode ^ 3, 0));
	ASSERT_EQ(0, nic_open(&self->nic, "nl0", variant->mode, 0));
	EXPECT_EQ(index, self->nic.index);
	EXPECT_EQ(1, link_of(&self->nic).carrier);
	EXPECT_EQ(-EBUSY, nic_open(&again, "nl0", variant->mode, 0));

	nic_close(&self->nic);
	ASSERT_EQ(0, link_get(index, &link));
	EXPECT_EQ(0, link.carrier);
	ASSERT_EQ(0, nic_open(&self->nic, "nl0", variant->mode, 0));
	EXPECT_EQ(1, link_of(&self->nic).carrier);
	nic_close(&self->nic);
	EXPECT_EQ(0, link_delete(index));
	EXPECT_EQ(-ENODEV, if_index("nl0"));
}

/* The same path of packets, whoever made the device */
FD_TEST(attach, device_made_by_netlink_carries)
{
	unsigned char data[2048];
	int sock;

	if (in_tree())
		SKIP(return, "in-tree tun is not made by netlink");
	ASSERT_EQ(0, link_add(variant->kind, "nl0"));
	ASSERT_EQ(0, if_up("nl0"));
	ASSERT_EQ(0, nic_open(&self->nic, "nl0", variant->mode | IFF_NO_PI,
			      O_NONBLOCK));
	/* Up before the carrier was: the queue starts a moment later. */
	ASSERT_TRUE(WAIT_FOR(link_of(&self->nic).flags & IFF_RUNNING));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3));
	EXPECT_EQ(POLLIN, poll_wait(self->nic.fd, POLLIN));
	EXPECT_EQ(3, read_in_order(self->nic.fd, variant->mode, 100, 0));
	packet_fill(data, variant->mode, 100, 9);
	EXPECT_EQ(100, write(self->nic.fd, data, 100));
	EXPECT_EQ(100, receive(sock, data, sizeof(data), NULL));
	close(sock);
}

TEST_HARNESS_MAIN
