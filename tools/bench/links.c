// SPDX-License-Identifier: GPL-2.0
/*
 * A thousand links of a kind, made one by one and then deleted one by one, until
 * nothing is left to do for them.
 */
#include "bench.h"

#include <sys/ioctl.h>

#include <linux/if_tun.h>

struct links {
	unsigned int	index[1000];
	int		fd[1000];
};

static void links_open(struct run *run)
{
	run->data = allocate(sizeof(struct links));
}

static void links_close(struct run *run)
{
	(void)run;
}

/* The work that is put off for later is their work, too. */
static void links_end(struct run *run)
{
	if (!wall)
		usleep(500000);
	clock_stop(run);
}

static void links_round(struct run *run, const char *kind, bool pair)
{
	struct links *links = run->data;
	char name[IFNAMSIZ], peer[IFNAMSIZ];
	unsigned int i;

	clock_start(run);
	for (i = 0; i < run->work->count; i++) {
		snprintf(name, sizeof(name), "%s%u", side_name(run),
			 i);
		snprintf(peer, sizeof(peer), "far%s%u", side_name(run), i);
		link_new(kind, name, pair ? peer : NULL);
		links->index[i] = if_nametoindex(name);
	}
	for (i = 0; i < run->work->count; i++)
		link_delete(links->index[i]);
	links_end(run);
}

static void links_dummy(struct run *run)
{
	links_round(run, run->side == OURS ? "vndummy" : "dummy", false);
}

static void links_veth(struct run *run)
{
	links_round(run, run->side == OURS ? "vnveth" : "veth", true);
}

/* A device that comes with this file and goes with it */
int link_open(struct run *run, const char *name)
{
	struct ifreq ifr = {};
	int fd;

	ifr.ifr_flags = run->work->mode | IFF_NO_PI;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	fd = open(run->side == OURS ? "/dev/vnic" : "/dev/net/tun",
		  O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		die(name);
	return fd;
}

static void links_fd(struct run *run)
{
	struct links *links = run->data;
	char name[IFNAMSIZ];
	unsigned int i;

	clock_start(run);
	for (i = 0; i < run->work->count; i++) {
		snprintf(name, sizeof(name), "%s%u", side_name(run), i);
		links->fd[i] = link_open(run, name);
	}
	for (i = 0; i < run->work->count; i++)
		close(links->fd[i]);
	links_end(run);
}

#define LINKS(n, r, m) {						\
	.name = n, .count = 1000, .rounds = 3, .open = links_open,	\
	.round = r, .close = links_close, .mode = m }

const struct workload link_workloads[] = {
	LINKS("links-dummy", links_dummy, 0),
	LINKS("links-veth", links_veth, 0),
	LINKS("links-tun", links_fd, IFF_TUN),
	LINKS("links-tap", links_fd, IFF_TAP),
	{ }
};
