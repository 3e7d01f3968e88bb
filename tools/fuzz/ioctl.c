// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl - every command of /dev/vnic, and some that it does not have
 */
#include <sys/ioctl.h>

#include <linux/filter.h>
#include <linux/sockios.h>

#include "fuzz.h"

/* Newer than the headers of some distributions */
#ifndef TUNGETVNETBE
#define TUNGETVNETBE	_IOR('T', 223, int)
#define TUNSETVNETBE	_IOW('T', 222, int)
#endif

enum argument { VALUE, NUMBER, REQUEST, PROGRAM, FILTER, ADDRESSES, BYTES };

static const struct {
	unsigned long	command;
	enum argument	argument;
} commands[] = {
	{ TUNSETIFF, REQUEST }, { TUNGETIFF, REQUEST },
	{ TUNSETQUEUE, REQUEST }, { TUNSETQUEUE, REQUEST },
	{ TUNSETPERSIST, VALUE }, { TUNSETOWNER, VALUE },
	{ TUNSETGROUP, VALUE }, { TUNSETLINK, VALUE },
	{ TUNSETOFFLOAD, VALUE }, { TUNSETOFFLOAD, VALUE },
	{ TUNSETNOCSUM, VALUE }, { TUNSETDEBUG, VALUE },
	{ TUNGETFEATURES, NUMBER }, { TUNGETSNDBUF, NUMBER },
	{ TUNSETSNDBUF, NUMBER }, { TUNGETVNETHDRSZ, NUMBER },
	{ TUNSETVNETHDRSZ, NUMBER }, { TUNSETVNETHDRSZ, NUMBER },
	{ TUNSETVNETLE, NUMBER }, { TUNGETVNETLE, NUMBER },
	{ TUNSETVNETBE, NUMBER }, { TUNGETVNETBE, NUMBER },
	{ TUNSETIFINDEX, NUMBER }, { TUNSETCARRIER, NUMBER },
	{ TUNATTACHFILTER, FILTER }, { TUNDETACHFILTER, FILTER },
	{ TUNGETFILTER, FILTER }, { TUNSETTXFILTER, ADDRESSES },
	{ TUNSETTXFILTER, ADDRESSES }, { TUNSETSTEERINGEBPF, PROGRAM },
	{ TUNSETFILTEREBPF, PROGRAM }, { TUNGETDEVNETNS, VALUE },
	{ SIOCGSKNS, VALUE }, { SIOCGIFHWADDR, REQUEST },
	{ SIOCSIFHWADDR, REQUEST }, { VNIC_IOC_VERSION, NUMBER },
	{ FIONREAD, NUMBER },
	{ _IOWR(VNIC_IOC_MAGIC, 77, int), BYTES },
	{ _IOW('T', 250, int), BYTES },
};

/* Where an argument lies: the thread's own, everybody's, half of it nowhere. */
void *argument(struct worker *worker, const struct op *op, size_t size)
{
	if (op->b & FUZZ_SHARED)
		return worker->shared;
	if ((op->b & 0x60) == 0x60)
		return worker->edge - size + (op->b & 7);
	return worker->room;
}

static void put_request(struct worker *worker, const struct op *op,
			struct ifreq *ifr)
{
	struct rng *rng = &worker->rng;

	memset(ifr, 0, sizeof(*ifr));
	op_name(op, ifr->ifr_name);
	ifr->ifr_flags = op->x;
	if (op->b & 1)
		ifr->ifr_flags = IFF_ATTACH_QUEUE << (op->x & 1);
	if (op->b & 2) {
		ifr->ifr_hwaddr.sa_family = interesting(rng);
		memcpy(ifr->ifr_hwaddr.sa_data, "\2\1\2\3\4\5", 6);
	}
}

/* Two programs that are right, and garbage. */
static void put_filter(struct worker *worker, struct sock_fprog *program)
{
	static const struct sock_filter pass[3] = {
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
	};
	static const struct sock_filter shorten[3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct rng *rng = &worker->rng;
	struct sock_filter *room = (void *)(worker->room + 4096);
	unsigned int i;

	for (i = 0; i < 16; i++)
		room[i] = (struct sock_filter) {
			rng_next(rng), rng_next(rng), rng_next(rng),
			interesting(rng) };
	if (!rng_one_in(rng, 3))
		memcpy(room, rng_one_in(rng, 2) ? shorten : pass,
		       sizeof(shorten));
	program->filter = room;
	program->len = rng_one_in(rng, 4) ? interesting(rng) :
					    1 + 2 * rng_below(rng, 2);
}

static void put_addresses(struct worker *worker, const struct op *op,
			  struct tun_filter *filter)
{
	unsigned int i, n = op->x % 20;

	filter->flags = op->b & 1 ? TUN_FLT_ALLMULTI : 0;
	filter->count = op->b & 2 ? op->x : n;
	for (i = 0; i < n * 6; i++)
		filter->addr[0][i] = op->b & 4 ? 0xff : rng_next(&worker->rng);
}

static void fill(struct worker *worker, const struct op *op,
		 enum argument kind, void *at)
{
	int number = op->b & 1 ? op->x % 70 : interesting(&worker->rng);

	switch (kind) {
	case REQUEST:
		put_request(worker, op, at);
		return;
	case FILTER:
		put_filter(worker, at);
		return;
	case ADDRESSES:
		put_addresses(worker, op, at);
		return;
	case PROGRAM:
		number = op->b & 1 ? -1 :
			 fuzz_programs[op->x % fuzz_program_count];
		break;
	default:
		break;
	}
	memcpy(at, &number, sizeof(number));
}

/* Returns the argument, a pointer to it, or one that leads to nothing. */
static unsigned long put_argument(struct worker *worker, const struct op *op,
				  enum argument kind)
{
	static const __u16 sizes[] = { 0, 4, sizeof(struct ifreq), 4,
				       sizeof(struct sock_fprog), 4096, 64 };
	int size = sizes[kind], overhang;
	unsigned char buffer[4096] = { };
	struct rng *rng = &worker->rng;
	unsigned char *at;

	if (kind == VALUE)
		return rng_one_in(rng, 2) ? op->x % 512 : interesting(rng);
	if (rng_one_in(rng, 32))
		return rng_one_in(rng, 2) ? 0 : 0xffff888000001000UL;
	fill(worker, op, kind, buffer);
	at = argument(worker, op, size);
	/* What does not fit before the edge is what cannot be read. */
	if (at != worker->room && at != worker->shared) {
		overhang = at + size - worker->edge;
		size = size > overhang ? size - overhang : 0;
	}
	memcpy(at, buffer, size);
	return (unsigned long)at;
}

static void judge(unsigned long command, long result, const __u32 *answer,
		  bool private)
{
	if (command == VNIC_IOC_VERSION && result == 0 && private &&
	    *answer != VNIC_UAPI_VERSION)
		report("VNIC_IOC_VERSION says %u", *answer);
	if (_IOC_TYPE(command) == VNIC_IOC_MAGIC && _IOC_NR(command) > 5 &&
	    result != -ENOTTY && result != -EBADF)
		report("a command that does not exist: %ld", result);
}

/**
 * op_ioctl() - any command
 * @worker: the thread
 * @op: the operation; @a says which
 *
 * Return: as the ioctl, or -errno.
 */
long op_ioctl(struct worker *worker, const struct op *op)
{
	unsigned int which = op->a % COUNT_OF(commands);
	unsigned long command = commands[which].command, value;
	long result;

	value = put_argument(worker, op, commands[which].argument);
	result = ioctl(op_fd(op), command, value);
	if (result < 0)
		result = -errno;
	judge(command, result, (void *)worker->room,
	      value == (unsigned long)worker->room);
	if (result > 0 && (command == TUNGETDEVNETNS || command == SIOCGSKNS))
		close(result);
	return result;
}

/**
 * op_setiff() - TUNSETIFF with any flags and name
 * @worker: the thread
 * @op: the operation
 *
 * Return: as the ioctl, or -errno.
 */
long op_setiff(struct worker *worker, const struct op *op)
{
	static const char *const names[] = { "", "g%d", "%d%d", "a/b", ".",
					     "0123456789abcdef" };
	void *room = op->b & FUZZ_SHARED ? worker->shared : worker->room;
	struct ifreq *ifr = room;

	/* Most files have a device already. */
	if (op->a & 0x80)
		op_open(worker, op);
	memset(ifr, 0, sizeof(*ifr));
	op_name(op, ifr->ifr_name);
	if (op->a % 4 == 2)
		memcpy(ifr->ifr_name,
		       names[op->x % COUNT_OF(names)],
		       strnlen(names[op->x % COUNT_OF(names)], IFNAMSIZ));
	ifr->ifr_flags = op->x;
	if (op->a % 16)
		ifr->ifr_flags &= ~IFF_MULTI_QUEUE;
	if (!(op->a & 1))
		ifr->ifr_flags = (op->x & IFF_NO_PI) |
				 (op->b & 1 ? IFF_TUN : IFF_TAP);
	return ioctl(op_fd(op), TUNSETIFF, ifr) ? -errno : 0;
}

/**
 * op_filter() - filters, offloads and queues that are right
 * @worker: the thread
 * @op: the operation
 *
 * Return: as the ioctl, or -errno.
 */
long op_filter(struct worker *worker, const struct op *op)
{
	struct ifreq ifr = { .ifr_flags = op->x & 1 ? IFF_DETACH_QUEUE :
						      IFF_ATTACH_QUEUE };
	int fd = op_fd(op), result, size = op->x & 1 ? 12 : 24;
	int program = fuzz_programs[op->x % fuzz_program_count];
	struct sock_fprog filter;

	switch (op->a % 8) {
	case 0:
		result = ioctl(fd, TUNSETSTEERINGEBPF, &program);
		break;
	case 1:
		result = ioctl(fd, TUNSETFILTEREBPF, &program);
		break;
	case 2:
		put_filter(worker, &filter);
		result = ioctl(fd, TUNATTACHFILTER, &filter);
		break;
	case 3:
		result = ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 |
			       TUN_F_TSO6 | (op->x & 0x60));
		break;
	case 4:
		result = ioctl(fd, TUNSETVNETHDRSZ, &size);
		break;
	case 5: case 6:
		result = ioctl(fd, TUNSETQUEUE, &ifr);
		break;
	default:
		size = op->x % 200000;
		result = ioctl(fd, TUNSETSNDBUF, &size);
		break;
	}
	return result ? -errno : 0;
}
