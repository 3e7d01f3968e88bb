// SPDX-License-Identifier: GPL-2.0
/*
 * stress - everything at once, and the books afterwards.
 *
 *   stress SECONDS [SEED]
 *
 *        namespace 0        namespace 1        namespace 2
 *          p0 ============== p1                              two pairs that stay
 *          p2 ================================= p3
 *          s0 ... s9         s0 ... s9          s0 ... s9    what comes and goes
 *
 * Threads of six sorts, none of which knows what the others do, each with random
 * numbers of its own: they make and delete links, move them, change them, give
 * them XDP programs, send to them, and are programs at their far end, on files
 * that they take from each other.
 *
 * Time is cut into rounds. In a round the module is in use and may not be
 * unloaded, which is tried. After it all is quiet, and what one end of a pair
 * that stays has sent or lost the other has received or lost. Then the module is
 * unloaded while packets are sent, and loaded again (from VNIC_KO).
 *
 * Prints how often each thing was done and refused. Exit: 0, 1 if something was
 * wrong or never done at all, 2.
 */
#include "fd_bpf.h"

#include <sys/syscall.h>

#define NAMESPACES	3
#define NAMES		10
#define FILES		6
#define BURST		20
#define ROUND		8		/* seconds */
#define ROUNDS		12		/* if not all has been done by then */

enum {
	MAKE, DELETE, MOVE, UP, DOWN, CHANGE, GRO, RING, CHANNELS, COALESCE,
	MTU, XDP, SEND, OPEN, ATTACH, QUEUE, WRITE, BATCH, READ, CLOSE, UNLOAD,
	DEEDS
};

static const char * const deed_names[DEEDS] = {
	"make", "delete", "move", "up", "down", "change", "GRO", "ring",
	"channels", "coalesce", "MTU", "XDP", "send", "open", "attach",
	"queue", "write", "batch", "read", "close", "unload"
};

static unsigned long done[DEEDS], refused[DEEDS];
static int namespaces[NAMESPACES];
static int files[FILES];		/* -1: none; taken by exchanging */
static int programs[5];
static bool over;			/* read and written with __atomic */
static unsigned int rounds;

struct worker {
	pthread_t thread;
	void (*body)(struct worker *worker);
	unsigned int seed;
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static unsigned int any(struct worker *w, unsigned int below)
{
	return rand_r(&w->seed) % below;
}

static int count(int deed, int result)
{
	__atomic_add_fetch(result < 0 ? &refused[deed] : &done[deed], 1,
			   __ATOMIC_RELAXED);
	return result;
}

static void enter(int namespace)
{
	if (setns(namespaces[namespace], CLONE_NEWNET))
		die("setns");
}

/* One of the names, now and then of a link that stays, of a random namespace */
static const char *choose(struct worker *w, char *name)
{
	enter(any(w, NAMESPACES));
	if (any(w, 4))
		snprintf(name, IFNAMSIZ, "s%u", any(w, NAMES));
	else
		snprintf(name, IFNAMSIZ, "p%u", any(w, 4));
	return name;
}

/* Wherever it has been moved to: this thread is there afterwards. */
static int find(const char *name)
{
	int i, index;

	for (i = 0; i < NAMESPACES; i++) {
		enter(i);
		index = if_index(name);
		if (index > 0)
			return index;
	}
	return -ENODEV;
}

/* ------------------------------------------------------------------- links */

static int make(struct worker *w, const char *name)
{
	unsigned int i = any(w, 2), j = any(w, 2), queues = any(w, 4);

	switch (any(w, 4)) {
	case 0:
		return link_make("vndummy", name, queues,
				 ATTRS({ VNIC_DUMMY_LOOPBACK, 1, i }));
	case 1:
		return link_make("vnveth", name, queues,
				 ATTRS({ VNIC_VETH_BQL, 1, i },
				       { VNIC_VETH_BACKPRESSURE, 1, j },
				       { VNIC_VETH_MODE, 1, !any(w, 4) }));
	case 2:
		return link_make("vntun", name, queues, NO_ATTRS);
	default:
		return link_make("vntap", name, queues, NO_ATTRS);
	}
}

static void maker(struct worker *w)
{
	char name[IFNAMSIZ];
	int index;

	enter(any(w, NAMESPACES));
	snprintf(name, IFNAMSIZ, "s%u", any(w, NAMES));
	if (any(w, 3)) {
		if (!count(MAKE, make(w, name)))
			if_up(name);
		return;
	}
	index = if_index(name);
	if (index > 0)
		count(DELETE, link_delete(index));
}

static void mover(struct worker *w)
{
	char name[IFNAMSIZ];
	int index = if_index(choose(w, name));

	if (index > 0)
		count(MOVE, link_move(index, namespaces[any(w, NAMESPACES)]));
}

static int change(struct worker *w, int index)
{
	struct link link;
	int on = any(w, 2);

	if (link_get(index, &link))
		return -ENODEV;
	if (!strcmp(link.kind, "vndummy"))
		return link_change(index, link.kind,
				   ATTRS({ VNIC_DUMMY_LOOPBACK, 1, on }));
	if (!strcmp(link.kind, "vnveth"))
		return link_change(index, link.kind,
				   ATTRS({ VNIC_VETH_SCRUB, 1, on },
					 { VNIC_VETH_BQL, 1, any(w, 2) },
					 { VNIC_VETH_BACKPRESSURE, 1,
					   any(w, 2) }));
	return link_change(index, link.kind,
			   ATTRS({ VNIC_TUN_BACKPRESSURE, 1, on }));
}

static int set_ethtool(struct worker *w, const char *name, int deed)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_coalesce coalesce = { .cmd = ETHTOOL_GCOALESCE };
	struct ethtool_value gro = { ETHTOOL_SGRO, any(w, 2) };

	switch (deed) {
	case RING:
		if (ethtool(name, &ring))
			return -ENODEV;
		ring.cmd = ETHTOOL_SRINGPARAM;
		ring.rx_pending = 1 << any(w, 10);
		return ethtool(name, &ring);
	case CHANNELS:
		if (ethtool(name, &channels))
			return -ENODEV;
		channels.cmd = ETHTOOL_SCHANNELS;
		channels.rx_count = 1 + any(w, channels.max_rx ?: 1);
		channels.tx_count = 1 + any(w, channels.max_tx ?: 1);
		return ethtool(name, &channels);
	case COALESCE:
		if (ethtool(name, &coalesce))
			return -ENODEV;
		coalesce.cmd = ETHTOOL_SCOALESCE;
		coalesce.rx_coalesce_usecs = any(w, 200);
		return ethtool(name, &coalesce);
	default:
		return ethtool(name, &gro);
	}
}

static void changer(struct worker *w)
{
	int deed = UP + any(w, XDP - UP + 1), index, result;
	char name[IFNAMSIZ];
	__u32 flags;

	index = if_index(choose(w, name));
	if (index < 0)
		return;
	switch (deed) {
	case UP:
		result = if_up(name);
		break;
	case DOWN:
		/* Not as often: traffic is what all this is about. */
		result = any(w, 2) ? if_down(name) : if_up(name);
		break;
	case CHANGE:
		result = change(w, index);
		break;
	case MTU:
		result = if_set(name, SIOCSIFMTU, 500 + any(w, 9000));
		break;
	case XDP:
		flags = any(w, 4) ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
		result = xdp_attach(index, any(w, 2) ? -1 :
				    programs[any(w, ARRAY_SIZE(programs))],
				    flags);
		break;
	default:
		result = set_ethtool(w, name, deed);
		break;
	}
	count(deed, result);
}

/* ----------------------------------------------------------------- traffic */

/* Some packets, in the namespace in which the thread is */
static void send_to(struct worker *w, int index)
{
	int sock = packet_socket(index);

	if (sock < 0)
		return;
	count(SEND, send_packets(sock, IFF_TAP, 60 + any(w, 1400), 0,
				 1 + any(w, BURST)));
	close(sock);
}

static void sender(struct worker *w)
{
	char name[IFNAMSIZ];
	int index;

	/* More often than others one that stays: its books are looked at. */
	if (any(w, 2)) {
		snprintf(name, sizeof(name), "p%u", any(w, 4));
		index = find(name);
	} else {
		index = if_index(choose(w, name));
	}
	if (index > 0)
		send_to(w, index);
}

/* Files are everybody's: what one thread opens another one closes. */
static int take(struct worker *w)
{
	return __atomic_exchange_n(&files[any(w, FILES)], -1, __ATOMIC_ACQ_REL);
}

static void give(struct worker *w, int fd)
{
	fd = __atomic_exchange_n(&files[any(w, FILES)], fd, __ATOMIC_ACQ_REL);
	if (fd >= 0)
		count(CLOSE, neg(close(fd)));
}

static int batch(int fd, unsigned long request)
{
	static __thread unsigned char data[BURST][1600];
	struct vnic_packet packets[BURST] = {};
	struct vnic_batch all = {
		.packets = (unsigned long)packets, .count = BURST,
	};
	int i;

	for (i = 0; i < BURST; i++) {
		packets[i].addr = (unsigned long)data[i];
		packets[i].len = sizeof(data[i]) - i;
		packet_fill(data[i], IFF_TAP, 100, i);
	}
	return do_ioctl(fd, request, &all);
}

/* With a file that is attached, or not */
static void use(struct worker *w, int fd)
{
	unsigned char data[2048];
	int size = 14 + any(w, 1500);

	switch (any(w, 6)) {
	case 0:
		count(QUEUE, set_queue(fd, any(w, 2) ? IFF_DETACH_QUEUE :
				       IFF_ATTACH_QUEUE));
		break;
	case 1:
		count(BATCH, batch(fd, VNIC_IOC_SEND));
		break;
	case 2:
		count(BATCH, batch(fd, VNIC_IOC_RECV));
		break;
	case 3:
		poll_now(fd, POLLIN | POLLOUT);
		count(READ, neg(read(fd, data, sizeof(data))));
		break;
	default:
		packet_fill(data, any(w, 2) ? IFF_TAP : IFF_TUN, size, 1);
		count(WRITE, neg(write(fd, data, size)));
	}
}

static void program(struct worker *w)
{
	char name[IFNAMSIZ];
	int fd = take(w), uses = any(w, 30), flags;

	choose(w, name);
	if (fd < 0) {
		fd = count(OPEN, device_open(O_NONBLOCK));
		if (fd < 0)
			return;
		flags = (any(w, 3) ? IFF_TAP : IFF_TUN) | IFF_NO_PI;
		if (any(w, 2))
			flags |= IFF_MULTI_QUEUE;
		if (!any(w, 3))
			flags |= IFF_NAPI;
		if (!count(ATTACH, set_iff(fd, name, flags))) {
			if_up(name);
			/* So that there is something to read. */
			send_to(w, if_index(name));
		}
	}
	while (uses--)
		use(w, fd);
	if (any(w, 2)) {
		give(w, fd);
		return;
	}
	count(CLOSE, neg(close(fd)));
}

/* ------------------------------------------------------------------ rounds */

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		w->body(w);
	return NULL;
}

static void start(struct worker *workers, int n, unsigned int seed)
{
	int i;

	__atomic_store_n(&over, false, __ATOMIC_RELAXED);
	for (i = 0; i < n; i++) {
		workers[i].seed = seed * 1000 + i;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			die("pthread_create");
	}
}

static void join(struct worker *workers, int n)
{
	int i;

	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	for (i = 0; i < n; i++)
		pthread_join(workers[i].thread, NULL);
}

static int make_pair(const char *name, const char *peer, int namespace)
{
	struct request r = request_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct rtattr *info, *data, *other;
	struct ifinfomsg up = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

	r.link.ifi_flags = IFF_UP;
	r.link.ifi_change = IFF_UP;
	request_put(&r, IFLA_IFNAME, name, strlen(name) + 1);
	info = request_put(&r, IFLA_LINKINFO, NULL, 0);
	request_put(&r, IFLA_INFO_KIND, "vnveth", 7);
	data = request_put(&r, IFLA_INFO_DATA | NLA_F_NESTED, NULL, 0);
	other = request_put(&r, VNIC_VETH_PEER | NLA_F_NESTED, &up, sizeof(up));
	request_put(&r, IFLA_IFNAME, peer, strlen(peer) + 1);
	request_put(&r, IFLA_NET_NS_FD, &namespaces[namespace],
		    sizeof(namespaces[0]));
	request_end(&r, other);
	request_end(&r, data);
	request_end(&r, info);
	return request_do(&r);
}

/*
 * What one end has sent or lost the other has received or lost. In ethtool's
 * figures, for in rx_dropped is also what no protocol wanted afterwards.
 */
static bool closes(const char *from, const char *to, char *text, int size)
{
	long long sent, lost, got, dropped;

	if (find(from) < 0)
		return false;
	sent = ethtool_counter(from, "tx_packets");
	lost = ethtool_sum(from, "tx_drop_", 8);
	if (find(to) < 0)
		return false;
	got = ethtool_counter(to, "rx_packets");
	dropped = ethtool_sum(to, "rx_drop_", 8);
	snprintf(text, size, "%s sent %lld, lost %lld; %s got %lld, lost %lld",
		 from, sent, lost, to, got, dropped);
	return sent >= 0 && lost >= 0 && got >= 0 && dropped >= 0 &&
	       sent + lost == got + dropped;
}

static bool books(void)
{
	static const char * const ends[][2] = {
		{ "p0", "p1" }, { "p1", "p0" }, { "p2", "p3" }, { "p3", "p2" },
	};
	bool right = true;
	char text[256] = "an end is not there";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		if (WAIT_FOR(closes(ends[i][0], ends[i][1], text,
				    sizeof(text))))
			continue;
		printf("books: %s\n", text);
		right = false;
	}
	return right;
}

/* No program sends anything for ever, and what comes and goes is gone. */
static bool calm(void)
{
	char name[IFNAMSIZ];
	int i, index;

	for (i = 0; i < FILES; i++) {
		if (files[i] >= 0)
			close(files[i]);
		files[i] = -1;
	}
	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		index = find(name);
		if (index < 0)
			continue;
		xdp_attach(index, -1, XDP_FLAGS_DRV_MODE);
		xdp_attach(index, -1, XDP_FLAGS_SKB_MODE);
	}
	for (i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		while ((index = find(name)) > 0)
			if (link_delete(index))
				return false;
	}
	return true;
}

static int load(void)
{
	int file = open(getenv("VNIC_KO") ?: "vnic.ko", O_RDONLY | O_CLOEXEC);
	int result;

	if (file < 0)
		return -errno;
	result = neg(syscall(SYS_finit_module, file, "", 0));
	close(file);
	return result;
}

static int unload(void)
{
	return neg(syscall(SYS_delete_module, "vnic", O_NONBLOCK));
}

static bool unload_under_traffic(unsigned int seed)
{
	struct worker senders[] = { { .body = sender }, { .body = sender } };
	bool right;

	start(senders, ARRAY_SIZE(senders), seed);
	right = WAIT_FOR(!count(UNLOAD, unload()));
	join(senders, ARRAY_SIZE(senders));
	if (!right)
		printf("the module cannot be unloaded\n");
	if (find("p0") > 0) {
		printf("its links have outlived the module\n");
		right = false;
	}
	if (load()) {
		printf("the module cannot be loaded again\n");
		right = false;
	}
	return right;
}

static bool one_round(unsigned int seed, int seconds)
{
	struct worker workers[] = {
		{ .body = maker }, { .body = maker }, { .body = mover },
		{ .body = changer }, { .body = changer }, { .body = sender },
		{ .body = sender }, { .body = program }, { .body = program },
		{ .body = program },
	};
	int keeper = device_open(0), second, result;
	bool right = true;

	enter(0);
	if (keeper < 0 || make_pair("p0", "p1", 1) || make_pair("p2", "p3", 2))
		die("the pairs that stay");
	start(workers, ARRAY_SIZE(workers), seed);
	for (second = 0; second < seconds; second++) {
		poll(NULL, 0, 1000);
		result = count(UNLOAD, unload());
		if (result == -EWOULDBLOCK)
			continue;
		printf("unloaded in use: %d\n", result);
		right = false;
		break;
	}
	join(workers, ARRAY_SIZE(workers));
	if (!calm()) {
		printf("a link cannot be deleted\n");
		right = false;
	}
	right &= books();
	close(keeper);
	return unload_under_traffic(seed) && right;
}

static void load_programs(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		struct bpf_insn verdict[] = {
			{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = i },
			{ .code = BPF_JMP | BPF_EXIT },
		};
		struct bpf_insn redirect[] = {
			{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
			  .dst_reg = BPF_REG_1, .imm = 5 },
			{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
			  .dst_reg = BPF_REG_2, .imm = 0 },
			{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect },
			{ .code = BPF_JMP | BPF_EXIT },
		};

		programs[i] = i == XDP_REDIRECT ?
			bpf_load(BPF_PROG_TYPE_XDP, redirect,
				 ARRAY_SIZE(redirect)) :
			bpf_load(BPF_PROG_TYPE_XDP, verdict,
				 ARRAY_SIZE(verdict));
		if (programs[i] < 0)
			die("bpf");
	}
}

/* The name of what was never done, or NULL */
static const char *undone(void)
{
	int i;

	for (i = 0; i < DEEDS; i++)
		if (!done[i])
			return deed_names[i];
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int seed = argc > 2 ? strtoul(argv[2], NULL, 0) : time(NULL);
	int left = argc > 1 ? atoi(argv[1]) : 0, i;
	bool right = true;

	/* This is no test of the harness, of which fd.h takes other things. */
	(void)test_harness_run;
	if (left <= 0) {
		fprintf(stderr, "usage: stress SECONDS [SEED]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %u\n", seed);
	for (i = 0; i < NAMESPACES; i++) {
		if (namespace_new())
			die("namespace");
		namespaces[i] = namespace_fd();
	}
	for (i = 0; i < FILES; i++)
		files[i] = -1;
	load_programs();
	/* A slow machine may need more rounds to do everything once. */
	for (; right && (left > 0 || (undone() && rounds < ROUNDS));
	     left -= ROUND, rounds++)
		right = one_round(seed + rounds,
				  left > 0 && left < ROUND ? left : ROUND);
	printf("%u rounds\n", rounds);
	for (i = 0; i < DEEDS; i++) {
		printf("%-9s %lu done, %lu refused\n", deed_names[i], done[i],
		       refused[i]);
	}
	if (undone()) {
		printf("%s was never done\n", undone());
		right = false;
	}
	return !right;
}
