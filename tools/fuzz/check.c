// SPDX-License-Identifier: GPL-2.0
/*
 * check - what has to be so, whatever was run
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>

#include "fuzz.h"

#define TEST_TYPE	0x88b5

static long spaces_before;
static int log_fd = -1;

/**
 * report() - something is not as it has to be: this is the end
 * @format: what, as printf()
 */
void report(const char *format, ...)
{
	va_list list;

	/* The first is the one that counts. */
	if (atomic_exchange(&state->reported, 1))
		_exit(1);
	va_start(list, format);
	printf("fuzz: REPORT: ");
	vprintf(format, list);
	printf("\n");
	va_end(list);
	fflush(stdout);
	_exit(1);
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

static bool log_is_bad(const char *line)
{
	static const char *const bad[] = {
		"BUG", "WARNING:", "INFO: ", "Oops", "refcount_t", "UBSAN",
		"KASAN", "KFENCE", "ODEBUG", "general protection", "Call Trace",
		"suspicious RCU", "unregister_netdevice: waiting", "Redzone",
		"blocked for more", "leaked", "segfault",
	};
	unsigned int i;

	for (i = 0; i < COUNT_OF(bad); i++)
		if (strstr(line, bad[i]))
			return true;
	/* Errors and worse, but for what the core says of a bad MTU. */
	return atoi(line) % 8 <= 3 && !strstr(line, " than device m");
}

/**
 * check_log() - does the kernel complain?
 * @skip: what it has said up to now is nothing of ours
 */
void check_log(bool skip)
{
	char line[8192];
	ssize_t n;

	if (log_fd < 0)
		log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (skip)
		lseek(log_fd, 0, SEEK_END);
	while ((n = read(log_fd, line, sizeof(line) - 1)) > 0 ||
	       (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		line[n] = 0;
		/* Of the kernel's, not of a program's. */
		if (atoi(line) / 8 == 0 && log_is_bad(line))
			report("the kernel says %s", line);
	}
}

static long number_in(const char *path)
{
	FILE *file = fopen(path, "re");
	long number = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

static bool is_ours(struct ifinfomsg *info, int size)
{
	struct rtattr *at = IFLA_RTA(info), *kind;
	int left;

	for (; RTA_OK(at, size); at = RTA_NEXT(at, size)) {
		if ((at->rta_type & NLA_TYPE_MASK) != IFLA_LINKINFO)
			continue;
		left = RTA_PAYLOAD(at);
		kind = RTA_DATA(at);
		if (RTA_OK(kind, left) && kind->rta_type == IFLA_INFO_KIND)
			return !strncmp(RTA_DATA(kind), "vn", 2);
	}
	return false;
}

/* The index of a link of ours in this namespace, or 0. */
static int first_link(void)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int size = 0, found = 0;
	static char answer[64 << 10];
	struct nlmsghdr *head;
	struct message m;
	bool end = false;

	message_begin(&m, RTM_GETLINK, NLM_F_DUMP, NULL);
	send(sock, &m, m.head.nlmsg_len, 0);
	while (!end && (size = recv(sock, answer, sizeof(answer), 0)) > 0) {
		head = (void *)answer;
		for (; NLMSG_OK(head, size); head = NLMSG_NEXT(head, size)) {
			struct ifinfomsg *info = NLMSG_DATA(head);

			if (head->nlmsg_type != RTM_NEWLINK)
				end = true;
			else if (is_ours(info, IFLA_PAYLOAD(head)))
				found = info->ifi_index;
		}
	}
	close(sock);
	return found;
}

/**
 * links_delete() - delete what is of ours in this namespace
 *
 * Return: 0, or -errno if one cannot be deleted.
 */
int links_delete(void)
{
	struct message m;
	int index, result, tries = 0;

	while ((index = first_link())) {
		/* More than that nobody has made. */
		if (tries++ > 500)
			return -EBUSY;
		message_begin(&m, RTM_DELLINK, 0, NULL);
		m.link.ifi_index = index;
		result = message_send(&m);
		if (result && result != -ENODEV)
			return result;
	}
	return 0;
}

static int make_pair(void)
{
	struct rtattr *info, *data, *peer;
	struct ifinfomsg up = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct message m;

	message_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "pair0");
	m.link = up;
	info = message_put(&m, IFLA_LINKINFO, NULL, 0);
	message_put(&m, IFLA_INFO_KIND, VNIC_KIND_VETH, 7);
	data = message_put(&m, IFLA_INFO_DATA, NULL, 0);
	peer = message_put(&m, VNIC_VETH_PEER, &up, sizeof(up));
	message_put(&m, IFLA_IFNAME, "pair1", 6);
	message_nest_end(&m, peer);
	message_nest_end(&m, data);
	message_nest_end(&m, info);
	return message_send(&m);
}

static int packet_socket(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(TEST_TYPE) };
	int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC,
			  htons(TEST_TYPE));
	struct ifreq ifr = { };

	strcpy(ifr.ifr_name, name);
	if (sock < 0 || ioctl(sock, SIOCGIFINDEX, &ifr))
		report("no socket on %s: %m", name);
	at.sll_ifindex = ifr.ifr_ifindex;
	if (bind(sock, (void *)&at, sizeof(at)))
		report("no socket on %s: %m", name);
	return sock;
}

/* Does a pair still carry a packet? */
static void check_pair(void)
{
	unsigned char frame[60] = "\377\377\377\377\377\377\2\0\0\0\0\1\x88\xb5";
	struct pollfd poller = { .events = POLLIN };
	int err = make_pair(), from, to;

	if (err)
		report("no pair can be made: %s", strerror(-err));
	from = packet_socket("pair0");
	to = packet_socket("pair1");
	if (send(from, frame, sizeof(frame), 0) != sizeof(frame))
		report("a pair sends no packet: %m");
	poller.fd = to;
	if (poll(&poller, 1, state->patience * 1000) != 1)
		report("a pair does not carry a packet");
	close(from);
	close(to);
}

/**
 * check_world() - at the end of a world: everything can be deleted, and works
 */
void check_world(void)
{
	int i, err;

	for (i = 0; i < FUZZ_SPACES; i++) {
		if (setns(world_spaces[i], CLONE_NEWNET))
			report("a namespace cannot be entered: %m");
		if (i == 0) {
			err = links_delete();
			if (!err)
				check_pair();
		}
		err = links_delete();
		if (err)
			report("a link cannot be deleted: %s", strerror(-err));
	}
}

#define SPACES	"/sys/kernel/slab/net_namespace/"

static long spaces_now(void)
{
	int fd = open(SPACES "shrink", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, "1", 1) < 0)
			perror(SPACES "shrink");
		close(fd);
	}
	return number_in(SPACES "objects");
}

/**
 * check_remember() - before the first world
 */
void check_remember(void)
{
	spaces_before = spaces_now();
	check_log(true);
}

/**
 * check_after_world() - its process has ended: nobody uses the module
 *
 * A namespace's last bytes stay until the next one goes, and TCP may hold one
 * for a while.
 */
void check_after_world(void)
{
	int waited, most = state->patience * 100;
	long users = 0, spaces = 0;

	for (waited = 0; waited < most; waited++) {
		users = number_in("/sys/module/vnic/refcnt");
		if (users <= 0)
			break;
		nap();
	}
	if (users > 0)
		report("the module has %ld users left", users);
	/* One of no world may have got a link (IFLA_NET_NS_PID). */
	if (links_delete())
		report("a link outside cannot be deleted");
	for (waited = 0; waited < most; waited++) {
		spaces = spaces_now();
		if (spaces <= spaces_before + 2 * FUZZ_SPACES)
			break;
		nap();
	}
	if (spaces > spaces_before + 2 * FUZZ_SPACES)
		report("%ld namespaces are left, at first there were %ld",
		       spaces, spaces_before);
	check_log(false);
}

/**
 * check_memory_leaks() - does kmemleak know of memory of ours?
 *
 * Return at once where there is no kmemleak.
 */
void check_memory_leaks(void)
{
	static char text[64 << 10];
	int fd = open("/sys/kernel/debug/kmemleak", O_RDWR | O_CLOEXEC), i;
	ssize_t n = 0;

	if (fd < 0)
		return;
	/* What it finds the first time may be on its way. */
	for (i = 0; i < 2; i++) {
		if (write(fd, "scan", 4) < 0) {
			close(fd);
			return;
		}
	}
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	if (strstr(text, "[vnic]"))
		report("memory is lost:\n%s", text);
}
