/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every allocation of an operation failed once: the first, then the second, and
 * so on, until the operation meets no more.
 *
 *   SWEEP(before, operation, after)
 *
 *     n = 1, 2, 3 ...
 *       before            what has to be there; nothing fails
 *       operation         its nth allocation fails
 *         refused?        all is as it was before, and the next try works
 *       after             undoes all; nothing fails, all is as at first
 *
 * The three are expressions that give a negative number if they fail. Faults
 * are injected while a call that fd.h marks with SYSCALL() is in the kernel, and
 * not around it: /proc/self/fail-nth counts for this thread alone, see
 * Documentation/fault-injection/fault-injection.rst.
 */
#ifndef FAILNTH_H
#define FAILNTH_H

#define SYSCALL(call) ({						\
	long called_;							\
									\
	fail_arm();							\
	called_ = (call);						\
	fail_disarm();							\
	called_;							\
})

static void fail_arm(void);
static void fail_disarm(void);

#include "fd_flow.h"

#include <dirent.h>
#include <sys/mman.h>

/* Seconds; with the checks of a debug kernel one operation takes a tenth. */
#define FAIL_TIMEOUT	3000
#define FAIL_TEST(name)	TEST_F_TIMEOUT(failnth, name, FAIL_TIMEOUT)

/*
 * fail_fd: /proc/thread-self/fail-nth
 * fail_left: how many allocations are left until one fails; 0: none shall
 * fail_hit: one has failed
 */
static int fail_fd = -1;
static int fail_left;
static bool fail_hit;

static void fail_arm(void)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", fail_left);

	if (!fail_left || pwrite(fail_fd, text, len, 0) == len)
		return;
	perror("fail-nth");
	_exit(KSFT_FAIL);
}

/*
 * What it says now: 0 if the fault was injected, else how many are left. To
 * copy that to here is something that can fail as well, and to copy the 0 from
 * here: if the fault meets one of these, it has not met the operation.
 */
static void fail_disarm(void)
{
	int error = errno;
	char text[16] = "";

	if (!fail_left)
		return;
	if (pread(fail_fd, text, sizeof(text) - 1, 0) > 0) {
		fail_left = atoi(text);
		fail_hit = !fail_left;
	} else if (errno == EFAULT) {
		fail_left = 1;
	} else {
		goto broken;
	}
	if (pwrite(fail_fd, "0", 1, 0) != 1 && (errno != EFAULT || fail_left != 2))
		goto broken;
	errno = error;
	return;
broken:
	perror("fail-nth");
	_exit(KSFT_FAIL);
}

/*
 * What an operation says that was done but could not say so, beside -ENODATA of
 * one by netlink. None of /dev/vnic's does.
 */
#ifndef FAIL_UNTOLD
#define FAIL_UNTOLD	-ENODATA
#endif

/* ------------------------------------------------------------ what there is */

/* What can be compared: text, as much as a failed test shall print. */
struct state {
	int len;
	char text[32768];
};

static void state_add(struct state *state, const char *format, ...)
{
	int room = sizeof(state->text) - state->len;
	va_list args;

	va_start(args, format);
	state->len += vsnprintf(state->text + state->len, room, format, args);
	va_end(args);
	if (state->len >= (int)sizeof(state->text)) {
		fprintf(stderr, "failnth: too much to compare\n");
		_exit(KSFT_FAIL);
	}
}

static void state_add_hex(struct state *state, const void *data, int len)
{
	const unsigned char *p = data;

	while (len--)
		state_add(state, "%02x", *p++);
}

/* How ethtool -g, -l and -c, and what the device can do, answer for a link */
static void state_add_ethtool(struct state *state, const char *name)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_coalesce coalesce = { .cmd = ETHTOOL_GCOALESCE };
	struct {
		struct ethtool_gfeatures head;
		struct ethtool_get_features_block blocks[2];
	} features = { { .cmd = ETHTOOL_GFEATURES, .size = 2 } };

	if (!ethtool(name, &ring))
		state_add(state, " ring %u", ring.rx_pending);
	if (!ethtool(name, &channels))
		state_add(state, " channels %u %u", channels.rx_count,
			  channels.tx_count);
	if (!ethtool(name, &coalesce))
		state_add(state, " coalesce %u %u", coalesce.rx_coalesce_usecs,
			  coalesce.rx_max_coalesced_frames);
	if (!ethtool(name, &features))
		state_add(state, " features %08x %08x",
			  features.blocks[0].active, features.blocks[1].active);
}

/* Of a link, all that a refused operation may not have changed */
static void state_add_link(struct state *state, struct nlmsghdr *head, bool own)
{
	static const int kept[] = {
		IFLA_ADDRESS, IFLA_MTU, IFLA_MASTER, IFLA_TXQLEN,
		IFLA_NUM_TX_QUEUES, IFLA_NUM_RX_QUEUES, IFLA_LINKINFO,
		IFLA_QDISC, IFLA_XDP, IFLA_CARRIER, IFLA_GROUP,
		IFLA_LINK_NETNSID,
	};
	struct ifinfomsg *info = NLMSG_DATA(head);
	int len = IFLA_PAYLOAD(head);
	const char *name = "";
	struct rtattr *a;
	unsigned int i;

	for (a = IFLA_RTA(info); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if (a->rta_type == IFLA_IFNAME) {
			name = RTA_DATA(a);
			/* What comes of a carrier comes later, by itself. */
			state_add(state, "\n%s flags %x", name,
				  info->ifi_flags & 0xffff & ~IFF_RUNNING);
		}
		for (i = 0; i < ARRAY_SIZE(kept); i++) {
			if ((a->rta_type & NLA_TYPE_MASK) != kept[i])
				continue;
			state_add(state, " %d=", kept[i]);
			state_add_hex(state, RTA_DATA(a), RTA_PAYLOAD(a));
		}
	}
	if (own)
		state_add_ethtool(state, name);
}

/* All links of the namespace that @sock is of */
static void state_add_links(struct state *state, int sock, bool own)
{
	struct request r = request_new(RTM_GETLINK, NLM_F_DUMP, 0);
	static char reply[65536];
	struct nlmsghdr *head;
	int len;

	if (send(sock, &r, r.head.nlmsg_len, 0) < 0)
		return state_add(state, "no dump: %d", errno);
	while ((len = recv(sock, reply, sizeof(reply), 0)) > 0) {
		for (head = (void *)reply; NLMSG_OK(head, (unsigned int)len);
		     head = NLMSG_NEXT(head, len)) {
			if (head->nlmsg_type == NLMSG_DONE)
				return;
			state_add_link(state, head, own);
		}
	}
	state_add(state, "dump ends: %d", errno);
}

static int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* References to the module, without its name: it may not be there at all */
static int module_users(void)
{
	char text[16] = "-1";
	int fd = open("/sys/module/vnic/refcnt", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return atoi(text);
}

/* Each test is a process of its own: these are of the one that runs. */
static int own, other;			/* rtnetlink sockets of two namespaces */
static int here, there;			/* the namespaces themselves */
static int points, survived;
static struct state first, before, now;

static void look(struct state *state)
{
	state->len = 0;
	state_add(state, "files %d, module %d", open_files(), module_users());
	state_add_links(state, own, true);
	state_add(state, "\n--");
	state_add_links(state, other, false);
}

static bool same(const struct state *as)
{
	look(&now);
	return !strcmp(as->text, now.text);
}

static int rtnetlink_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

FIXTURE(failnth) {
	bool unused;
};

FIXTURE_SETUP(failnth)
{
	fail_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_fd < 0)
		SKIP(return, "this kernel has no fault injection");
	/* No page of the program's own shall be missing while faults are on. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	ASSERT_EQ(0, namespace_new());
	there = namespace_fd();
	ASSERT_LE(0, there);
	other = rtnetlink_socket();
	ASSERT_LE(0, other);
	ASSERT_EQ(0, namespace_new());
	here = namespace_fd();
	ASSERT_LE(0, here);
	own = rtnetlink_socket();
	ASSERT_LE(0, own);
	/* The first question of its kind may be what makes a name. */
	look(&first);
	look(&first);
}

FIXTURE_TEARDOWN(failnth)
{
	if (points)
		printf("# %d faults, %d of them survived\n", points,
		       survived);
}

#define SWEEP(before_, operation_, after_) do {				\
	long result_;							\
	int n_;								\
									\
	for (n_ = 1, fail_hit = true; fail_hit; n_++) {			\
		ASSERT_LE(0, (before_));				\
		look(&before);						\
		fail_left = n_;						\
		fail_hit = false;					\
		result_ = (operation_);					\
		fail_left = 0;						\
		points += fail_hit;					\
		if ((result_ == -ENODATA || result_ == FAIL_UNTOLD) &&	\
		    !same(&before))					\
			result_ = 0;	/* only the answer was lost */	\
		survived += fail_hit && result_ >= 0;			\
		if (result_ < 0) {					\
			ASSERT_TRUE(fail_hit)				\
				TH_LOG("without a fault: %ld", result_); \
			ASSERT_TRUE(WAIT_FOR(same(&before)))		\
				TH_LOG("fault %d, %ld:\n%s\nbefore:\n%s", \
				       n_, result_, now.text,		\
				       before.text);			\
			ASSERT_LE(0, (operation_))			\
				TH_LOG("again, after fault %d: %ld",	\
				       n_, result_);			\
		}							\
		ASSERT_LE(0, (after_));					\
		ASSERT_TRUE(WAIT_FOR(same(&first)))			\
			TH_LOG("after fault %d, %ld:\n%s\nat first:\n%s", \
			       n_, result_, now.text,			\
			       first.text);				\
	}								\
} while (0)

#define NOTHING		0

#endif
