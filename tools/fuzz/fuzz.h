/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the fuzzer share.
 *
 *	fuzz.c		options, worlds, what has to be so after each
 *	input.c		inputs: made, changed, read and written
 *	world.c		threads that run an input over the same tables
 *	slow.c		memory that lets the kernel wait
 *	cover.c		which edges of the module were passed
 *	file.c		operations on /dev/vnic, but for those of
 *	ioctl.c, batch.c, ring.c
 *	link.c		operations on links: rtnetlink, ethtool
 *	tree.c		random attribute trees
 *	packet.c	frames and virtio headers that lie
 *	check.c		what every operation and every world is held to
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/types.h>

#include "../../include/uapi/linux/vnic.h"

#define COUNT_OF(array)	(sizeof(array) / sizeof(*(array)))

#define FUZZ_OPS	64	/* of an input, at most */
#define FUZZ_THREADS	4
#define FUZZ_FDS	8
#define FUZZ_SPACES	3	/* network namespaces */
#define FUZZ_LINKS	8	/* names */
#define FUZZ_WORLD	32	/* inputs that a world lives for */
#define FUZZ_CORPUS	4096
#define FUZZ_EDGES	0x10000
#define FUZZ_TEXT	0x100000	/* the module's code, at most */
#define FUZZ_GRAIN	4
#define FUZZ_ROOM	(256 << 10)	/* a thread's memory for arguments */

/* Newer than the headers of some distributions */
#ifndef IFF_BACKPRESSURE
#define IFF_BACKPRESSURE	0x0080
#endif
#define FUZZ_PARENT_DEV_NAME	56

/**
 * struct op - one operation; whatever its bytes are, they mean something
 * @code: which, modulo the number of them
 * @who: bits 0 and 1 the thread, 2 to 4 the fd, 5 to 7 the link's name
 * @a: variant
 * @b: more of it; bit 7: arguments lie where all threads write (FUZZ_SHARED)
 * @x: a number, or the namespace
 * @y: seed of what has no room here
 */
struct op {
	__u8	code, who, a, b;
	__u32	x, y;
};

#define FUZZ_SHARED	0x80

struct input {
	__u16		count;
	struct op	ops[FUZZ_OPS];
};

struct rng {
	__u64 state;
};

/* xorshift64*: good enough, and the same everywhere */
static inline __u32 rng_next(struct rng *rng)
{
	rng->state ^= rng->state >> 12;
	rng->state ^= rng->state << 25;
	rng->state ^= rng->state >> 27;
	return rng->state * 0x2545f4914f6cdd1dULL >> 32;
}

static inline __u32 rng_below(struct rng *rng, __u32 n)
{
	return rng_next(rng) % n;
}

static inline bool rng_one_in(struct rng *rng, __u32 n)
{
	return !rng_below(rng, n);
}

/* Neighbouring seeds begin far from each other. */
static inline struct rng rng_seeded(__u64 seed)
{
	seed += 0x9e3779b97f4a7c15ULL;
	seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ULL;
	seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebULL;
	seed ^= seed >> 31;
	return (struct rng){ .state = seed ?: 1 };
}

/* What all processes of the fuzzer see. */
struct state {
	struct rng	rng;
	__u64		executions, worlds, edges, found;
	__u64		calls, good;	/* operations, and those that worked */
	bool		guided, quiet;
	atomic_int	reported;
	int		patience;	/* seconds until something is stuck */
	int		running;	/* the file of this world's inputs */
	int		corpus_dir;	/* where inputs are kept, or -1 */
	__u32		corpus_count;
	struct input	corpus[FUZZ_CORPUS];
	__u8		seen[FUZZ_EDGES];
	__u8		passed[FUZZ_TEXT / FUZZ_GRAIN];	/* parts of the code */
};

struct cover {
	int	fd;
	__u64	*area;
};

/* A thread of a world. */
struct worker {
	int		id, space;
	struct rng	rng;		/* of the operation that it is at */
	unsigned char	*room, *shared, *edge;
	struct cover	cover;
	__u64		calls, good;
};

extern struct state *state;
extern int world_spaces[FUZZ_SPACES];
extern atomic_int world_fds[FUZZ_FDS];
extern int fuzz_programs[];
extern const unsigned int fuzz_program_count;

/* check.c */
void report(const char *format, ...);
void check_log(bool skip);
void check_world(void);
void check_after_world(void);
void check_remember(void);
void check_memory_leaks(void);

/* cover.c */
bool cover_find(void);
bool cover_open(struct cover *cover);
void cover_enable(struct cover *cover);
void cover_reset(struct cover *cover);
unsigned int cover_collect(const struct cover *cover);
void cover_missed(void);

/* input.c */
void input_make(struct rng *rng, struct input *input);
void input_next(struct input *input);
bool input_write(int fd, const struct input *input);
bool input_read(int fd, struct input *input);
void input_keep(const struct input *input);
void input_load_corpus(void);
void input_show(const struct input *input);

/* world.c */
void world_begin(void);
void world_run(const struct input *input);
void world_end(void);

/* file.c */
typedef long op_function(struct worker *worker, const struct op *op);

struct op_kind {
	const char	*name;
	op_function	*run;
};

#define OP(name)	{ #name, op_##name }

extern const struct op_kind file_ops[], link_ops[];
extern const unsigned int file_op_count, link_op_count;
const struct op_kind *op_kind(const struct op *op);
__u32 interesting(struct rng *rng);
void *argument(struct worker *worker, const struct op *op, size_t size);
const char *op_name(const struct op *op, char *name);
int op_fd(const struct op *op);
unsigned int queue_headers(const struct op *op, bool *tap);
void enter_space(struct worker *worker, __u32 space);

/* file.c, batch.c, ioctl.c, ring.c, socket.c */
op_function op_open, op_attach, op_batch, op_ioctl, op_setiff, op_filter, op_ring,
	op_socket;
void ring_forget(void);

/* link.c */
#define MESSAGE_ROOM	4096

struct message {
	struct nlmsghdr		head;
	struct ifinfomsg	link;
	unsigned char		bytes[MESSAGE_ROOM];
};

void message_begin(struct message *m, int type, int flags, const char *name);
struct rtattr *message_put(struct message *m, int type, const void *data,
			   size_t size);
void message_nest_end(struct message *m, struct rtattr *nest);
int message_send(struct message *m);
int link_make(const char *kind, const char *name, __u32 queues);
int link_delete(const char *name);
int links_delete(void);
void xdp_load(void);

/* slow.c */
void slow_begin(void);
void *slow_page(unsigned int which, void *otherwise);

/* tree.c */
void tree_make(struct message *m, struct rng *rng);

/* packet.c */
struct packet {
	unsigned char	*data;
	size_t		len, l3, l4, payload;
	bool		v6, tcp;
};

/* file.c, for socket.c */
void put_fd(unsigned int slot, int fd);
long result_of(long result);
size_t put_headers(struct rng *rng, unsigned char *at,
		   const struct packet *packet, unsigned int which);

void packet_make(struct rng *rng, struct packet *packet, size_t room, bool tap);
void packet_vnet(struct rng *rng, const struct packet *packet,
		 struct vnic_vnet *vnet);

#endif
