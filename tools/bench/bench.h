/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the benchmark share.
 *
 *	main.c		rounds, in turns on the in-tree device and on ours
 *	net.c		links, addresses, frames, sinks that count
 *	fd.c		/dev/net/tun and /dev/vnic
 *	uring.c		the same by way of io_uring
 *	vhost.c		the same as back ends of vhost-net
 *	pair.c		veth and vnveth
 *	rival.c		TPACKET_V3 and AF_XDP on veth, and rings of /dev/vnic
 *	dummy.c		dummy and vndummy
 *	links.c		making and deleting
 *	memory.c	what idle ones take
 *
 * The code is the same for both sides, up to the name of the kind or of the
 * character device. Whatever is sent is counted where it arrives; a round that
 * has lost a packet has no result.
 */
#ifndef BENCH_H
#define BENCH_H

#include "../../selftests/helper.h"

#include <stdint.h>
#include <stdnoreturn.h>

#include <linux/if_link.h>

#include "generator/vnic_bench.h"

/* Packets between two looks at the sink: a ring holds them, and so do caches. */
#define CHUNK		256
#define BATCH		32
#define SMALL		60
#define LARGE		1514
#define PORT		9000

enum side { PEER, OURS };

enum sink {
	SINK_DROP,		/* no protocol of that number */
	SINK_OTHER,		/* addressed to somebody else */
	SINK_UDP,		/* a socket */
};

/* How the character device is opened */
enum { PLAIN, NONBLOCK, WITH_VNET, WITH_RINGS };

struct run;

/**
 * struct workload - one row of the table
 * @name: as in goals.json
 * @count: packets of one round
 * @rounds: no more than so many; 0: as many as of the others
 * @least: no fewer where instructions are counted, where a round is of one of two
 *	kinds, by chance
 * @open: makes the device of one side, and what is needed around it
 * @round: sends @count packets, with the clock running only while the device
 *	works
 * @close: removes what @open has made
 * @size: of a frame, in bytes
 * @sink: where it ends
 * @batch: packets of one call, or of a burst; 0: plain read() and write()
 * @mode: for @open and @round to tell their workloads apart
 * @xmit: how the generator hands over what is read; BENCH_BURST: @batch at once
 */
struct workload {
	const char	*name;
	unsigned int	count;
	unsigned int	rounds;
	unsigned int	least;
	void		(*open)(struct run *run);
	void		(*round)(struct run *run);
	void		(*close)(struct run *run);
	unsigned int	size;
	enum sink	sink;
	unsigned int	batch;
	int		mode;
	enum bench_mode	xmit;
};

/**
 * struct run - a workload on one of its two sides
 * @work: the workload
 * @side: whose device
 * @mark: for tools/bench/profile; none while warming up
 * @ns: what the clock has counted in this round; bytes, of memory
 * @generated: the part of it that the generator has taken
 * @started: of the clock
 * @idle: at that time
 * @dev: the device's name
 * @index: its interface index
 * @frame: a frame to send
 * @len: its bytes
 * @fd: of the character device
 * @sock: a socket at this end
 * @far_sock: a socket at the other end
 * @child: the process at the other end
 * @shared: what this process and @child both see
 * @data: of the workload's own
 */
struct run {
	const struct workload	*work;
	enum side		side;
	enum bench_mark		mark;
	uint64_t		ns, generated, started, idle;
	char			dev[IFNAMSIZ];
	unsigned int		index;
	unsigned char		*frame;
	unsigned int		len;
	int			fd, sock, far_sock;
	pid_t			child;
	struct shared		*shared;
	void			*data;
};

/**
 * struct shared - memory that two processes have in common
 * @received: packets or bytes, by the child
 */
struct shared {
	uint64_t	received;
};

static inline const char *side_name(const struct run *run)
{
	return run->side == OURS ? "ours" : "peer";
}

extern bool wall;
extern int near_ns, far_ns;

/* main.c */
noreturn void give_up(const char *format, ...);
void *allocate(size_t size);
void pin(bool far);
void clock_start(struct run *run);
void clock_stop(struct run *run);
void generate(struct run *run, enum bench_mode mode, unsigned int count,
	      unsigned int burst);
void child_start(struct run *run, void (*function)(struct run *run));
void child_stop(struct run *run);
uint64_t received(struct run *run);
void received_add(struct run *run, uint64_t count);

/* net.c */
void enter_ns(int ns);
void shell(const char *format, ...);
unsigned int index_of(const char *dev);
void mac_of(const char *dev, unsigned char *mac);
void make_frame(struct run *run, const unsigned char *to,
		const unsigned char *from, int from_host, int to_host);
int udp_socket(struct run *run, int host);
void udp_connect(struct run *run, int sock, int host);
unsigned int drain(int sock);
struct rtnl_link_stats64 stats_of(int ns, unsigned int index);
void link_new(const char *kind, const char *name, const char *peer);
void link_delete(unsigned int index);
void link_xdp(unsigned int index, int prog, __u32 flags);

/* links.c, for memory.c */
int link_open(struct run *run, const char *name);

/**
 * struct arrivals - how much has arrived so far
 * @stats: of the device that receives
 */
struct arrivals {
	struct rtnl_link_stats64	stats;
};

struct arrivals arrivals_now(int ns, unsigned int index);
void arrivals_check(struct run *run, int ns, unsigned int index, int sock,
		    struct arrivals before, unsigned int count);

/* Tables of workloads, each with an entry without a name at its end */
extern const struct workload fd_workloads[], uring_workloads[],
	vhost_workloads[], pair_workloads[], rival_workloads[], dummy_workloads[],
	link_workloads[], memory_workloads[];

/* fd.c, for uring.c, vhost.c and rival.c */
void tap_open(struct run *run);
void tap_open_read(struct run *run);
void tap_write(struct run *run);
void tap_read(struct run *run);
void tap_close(struct run *run);

/* pair.c, for rival.c */
void pair_open(struct run *run);
void pair_close(struct run *run);

#endif
