// SPDX-License-Identifier: GPL-2.0
/*
 * What an idle device takes, in bytes: up, with its default queues, and its
 * file where it has one.
 *
 * Counted is whatever the kernel has taken for itself, by any allocator: what is
 * not free, not in a CPU's list of free pages, and neither programs' nor caches'.
 * Nothing is deleted before all is measured: what an allocator has kept would be
 * had for nothing the next time.
 */
#include "bench.h"

#include <net/if.h>
#include <sys/ioctl.h>

#include <linux/if_tun.h>

#define ROUNDS_MOST	16

struct devices {
	unsigned int	count, rounds;
	unsigned int	index[ROUNDS_MOST * 256];
	int		fd[ROUNDS_MOST * 256];
};

/* The sum of what follows each @key in a file of /proc, or a part of it */
static long long total(const char *path, const char *key)
{
	size_t len = strlen(key);
	long long sum = 0;
	char line[256];
	char *at;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file)) {
		at = line + strspn(line, " ");
		if (!strncmp(at, key, len))
			sum += atoll(at + len);
	}
	fclose(file);
	return sum;
}

static void tell(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		die(path);
	close(fd);
}

/* In bytes */
static long long kernel_memory(void)
{
	static const char *const others[] = {
		"MemFree:", "Active:", "Inactive:", "Unevictable:",
		"SReclaimable:", "PageTables:",
	};
	long long kib;
	unsigned int i;

	/* What is put off for later, and what a CPU keeps to itself */
	usleep(500000);
	tell("/proc/sys/vm/compact_memory");
	tell("/proc/sys/vm/stat_refresh");
	kib = total("/proc/meminfo", "MemTotal:");
	for (i = 0; i < ARRAY_SIZE(others); i++)
		kib -= total("/proc/meminfo", others[i]);
	return kib * 1024 -
	       total("/proc/zoneinfo", "count:") * sysconf(_SC_PAGESIZE);
}

static void bring_up(int sock, const char *name)
{
	struct ifreq ifr = {};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_flags = IFF_UP;
	if (ioctl(sock, SIOCSIFFLAGS, &ifr))
		die(name);
}

static void memory_open(struct run *run)
{
	run->data = allocate(sizeof(struct devices));
	run->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	enter_ns(far_ns);
	run->far_sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	enter_ns(near_ns);
	if (run->sock < 0 || run->far_sock < 0)
		die("socket");
}

static void memory_close(struct run *run)
{
	struct devices *devices = run->data;
	unsigned int i;

	for (i = 0; i < devices->count; i++) {
		if (devices->fd[i])
			close(devices->fd[i]);
		else
			link_delete(devices->index[i]);
	}
	close(run->sock);
	close(run->far_sock);
}

/* The names of both sides are as long as each other: sysfs has copies. */
static void memory_round(struct run *run,
			 void (*make)(struct run *run, struct devices *devices,
				      const char *name))
{
	struct devices *devices = run->data;
	char name[IFNAMSIZ];
	long long before;
	unsigned int i;

	if (devices->rounds++ == ROUNDS_MOST)
		give_up("%s: no more than %u rounds", run->work->name,
			ROUNDS_MOST);
	before = kernel_memory();
	for (i = 0; i < run->work->count; i++) {
		snprintf(name, sizeof(name), "%s%04u", side_name(run),
			 devices->count);
		make(run, devices, name);
		bring_up(run->sock, name);
		devices->count++;
	}
	run->ns = kernel_memory() - before;
}

static void make_dummy(struct run *run, struct devices *devices,
		       const char *name)
{
	link_new(run->side == OURS ? "vndummy" : "dummy", name, NULL);
	devices->index[devices->count] = index_of(name);
}

static void make_veth(struct run *run, struct devices *devices,
		      const char *name)
{
	char peer[IFNAMSIZ];

	snprintf(peer, sizeof(peer), "far%s", name);
	link_new(run->side == OURS ? "vnveth" : "veth", name, peer);
	devices->index[devices->count] = index_of(name);
	/* Where link_new() has put it */
	bring_up(run->far_sock, peer);
}

static void make_fd(struct run *run, struct devices *devices, const char *name)
{
	devices->fd[devices->count] = link_open(run, name);
}

static void memory_dummy(struct run *run)
{
	memory_round(run, make_dummy);
}

static void memory_veth(struct run *run)
{
	memory_round(run, make_veth);
}

static void memory_fd(struct run *run)
{
	memory_round(run, make_fd);
}

#define MEMORY(n, r, m) {						\
	.name = n, .count = 256, .rounds = 5, .open = memory_open,	\
	.round = r, .close = memory_close, .mode = m }

const struct workload memory_workloads[] = {
	MEMORY("memory-dummy", memory_dummy, 0),
	MEMORY("memory-veth", memory_veth, 0),
	MEMORY("memory-tun", memory_fd, IFF_TUN),
	MEMORY("memory-tap", memory_fd, IFF_TAP),
	{ }
};
