// SPDX-License-Identifier: GPL-2.0
/*
 * file - operations on /dev/vnic but for the ioctls
 */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "fuzz.h"

#define GUARD	0x5a

/**
 * interesting() - a number at which something may change
 * @rng: where from
 *
 * Return: the number.
 */
__u32 interesting(struct rng *rng)
{
	static const __u32 numbers[] = {
		0, 1, 2, 3, 4, 9, 10, 11, 12, 14, 16, 20, 24, 32, 60, 64, 68,
		127, 128, 255, 256, 257, 1024, 1280, 1500, 4096, 9000, 65535,
		65536, 0x7fff, 0x8000, 0x7fffffff, 0x80000000, 0xfffffffe,
		0xffffffff,
	};
	__u32 at = rng_below(rng, COUNT_OF(numbers) + 2);

	return at < COUNT_OF(numbers) ? numbers[at] : rng_next(rng);
}

int op_fd(const struct op *op)
{
	return atomic_load(&world_fds[(op->who >> 2) % FUZZ_FDS]);
}

const char *op_name(const struct op *op, char *name)
{
	/* The first ones more often, so that they meet. */
	snprintf(name, IFNAMSIZ, "f%u", op->y & 0x300 ? op->who >> 5 & 1 :
							op->who >> 5);
	return name;
}

/* Whatever was there is closed, whoever uses it at the moment. */
void put_fd(unsigned int slot, int fd)
{
	int old = atomic_exchange(&world_fds[slot % FUZZ_FDS], fd);

	if (old >= 0)
		close(old);
}

/**
 * enter_space() - go to one of the world's namespaces
 * @worker: the calling thread
 * @space: which, modulo their number
 */
void enter_space(struct worker *worker, __u32 space)
{
	/* The first one more often, so that they meet. */
	int which = space & 0x300 ? 0 : space % FUZZ_SPACES;

	if (worker->space == which)
		return;
	if (setns(world_spaces[which], CLONE_NEWNET) == 0)
		worker->space = which;
}

long result_of(long result)
{
	return result < 0 ? -errno : result;
}

static int open_device(const struct op *op)
{
	/* Most calls shall not sleep: others have to be woken by the clock. */
	int flags = O_RDWR | O_CLOEXEC | (op->a % 16 ? O_NONBLOCK : 0);

	return open(VNIC_DEV_PATH, flags);
}

long op_open(struct worker *worker, const struct op *op)
{
	int fd;

	enter_space(worker, op->x);
	fd = open_device(op);
	if (fd >= 0)
		put_fd(op->who >> 2, fd);
	return result_of(fd);
}

static const unsigned int attach_flags[] = {
	IFF_NO_PI, IFF_VNET_HDR, IFF_NAPI, IFF_NAPI_FRAGS, IFF_MULTI_QUEUE,
	IFF_BACKPRESSURE, IFF_NOFILTER, IFF_TUN_EXCL,
};

static void up(const char *name)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_flags = IFF_UP };

	memcpy(ifr.ifr_name, name, IFNAMSIZ);
	ioctl(sock, SIOCSIFFLAGS, &ifr);
	close(sock);
}

static int set_iff(int fd, struct ifreq *ifr, const struct op *op)
{
	/* TUNSETIFF makes 256 queues, which takes as long as all the rest. */
	if (ifr->ifr_flags & IFF_MULTI_QUEUE && op->b & 0x1f)
		link_make(op->a & 1 ? VNIC_KIND_TUN : VNIC_KIND_TAP,
			  ifr->ifr_name, 2 + op->b % 7);
	return ioctl(fd, TUNSETIFF, ifr);
}

/**
 * op_attach() - a file with a device that is up
 * @worker: the thread
 * @op: the operation
 *
 * Return: 0 or -errno.
 */
long op_attach(struct worker *worker, const struct op *op)
{
	struct ifreq ifr = { .ifr_flags = op->a & 1 ? IFF_TUN : IFF_TAP };
	unsigned int i;
	int fd;

	enter_space(worker, op->x);
	fd = open_device(op);
	if (fd < 0)
		return -errno;
	for (i = 0; i < COUNT_OF(attach_flags); i++)
		if (rng_one_in(&worker->rng, i < 2 ? 2 : i < 5 ? 3 : 6))
			ifr.ifr_flags |= attach_flags[i];
	/* Refused without, as on vntun. */
	if (ifr.ifr_flags & IFF_NAPI_FRAGS && op->b & 7)
		ifr.ifr_flags |= IFF_NAPI;
	op_name(op, ifr.ifr_name);
	/* What is in the way goes, mostly. */
	if (set_iff(fd, &ifr, op) && op->b & 0x30) {
		link_delete(ifr.ifr_name);
		set_iff(fd, &ifr, op);
	}
	if (op->a & 0x60)
		up(ifr.ifr_name);
	put_fd(op->who >> 2, fd);
	return 0;
}

static long op_close(struct worker *worker, const struct op *op)
{
	put_fd(op->who >> 2, -1);
	return 0;
}

static long op_dup(struct worker *worker, const struct op *op)
{
	int fd = fcntl(op_fd(op), F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		put_fd(op->a, fd);
	return result_of(fd);
}

/**
 * queue_headers() - what stands in front of a packet on this fd?
 * @op: the operation; now and then something else is said
 * @tap: written here: is it an Ethernet frame?
 *
 * Return: 1 for packet information, 2 for a virtio header, 4 for one of 10
 * bytes.
 */
unsigned int queue_headers(const struct op *op, bool *tap)
{
	unsigned int headers = 0;
	struct ifreq ifr = { };
	int size = 10;

	*tap = op->a & 1;
	if ((op->b & 0x30) == 0 || ioctl(op_fd(op), TUNGETIFF, &ifr))
		return op->b & 7;
	*tap = ifr.ifr_flags & IFF_TAP;
	ioctl(op_fd(op), TUNGETVNETHDRSZ, &size);
	if (!(ifr.ifr_flags & IFF_NO_PI))
		headers = 1;
	if (ifr.ifr_flags & IFF_VNET_HDR)
		headers |= size < (int)sizeof(struct vnic_vnet) ? 6 : 2;
	return headers;
}

/* What is on the fd in front of the packet. */
size_t put_headers(struct rng *rng, unsigned char *at,
		   const struct packet *packet, unsigned int which)
{
	struct tun_pi pi = { .proto = htobe16(packet->v6 ? 0x86dd : 0x800) };
	struct vnic_vnet vnet;
	size_t n = 0;

	if (which & 1) {
		memcpy(at, &pi, sizeof(pi));
		n = sizeof(pi);
	}
	if (which & 2) {
		packet_vnet(rng, packet, &vnet);
		memcpy(at + n, &vnet, sizeof(vnet));
		n += which & 4 ? 10 : sizeof(vnet);
	}
	return n;
}

/* The same bytes in several pieces. */
static int cut(struct rng *rng, struct iovec *iov, int most, void *from,
	       size_t size)
{
	size_t piece;
	int n = 0;

	do {
		piece = rng_one_in(rng, 2) ? rng_below(rng, 20) :
			rng_below(rng, 4500);
		if (piece > size || rng_one_in(rng, 3))
			piece = size;
		if (n == most - 1)
			piece = size;
		iov[n++] = (struct iovec){ from, piece };
		from = (char *)from + piece;
		size -= piece;
	} while (size);
	return n;
}

static long op_write(struct worker *worker, const struct op *op)
{
	unsigned char *at = op->b & FUZZ_SHARED ? worker->shared : worker->room;
	struct packet packet = { .data = at + 64 };
	struct rng *rng = &worker->rng;
	struct iovec iov[24];
	unsigned int headers;
	int pieces;
	bool tap;
	size_t n;

	headers = queue_headers(op, &tap);
	packet_make(rng, &packet, 80000, tap);
	n = put_headers(rng, at, &packet, headers);
	memmove(at + 64 - n, at, n);
	pieces = cut(rng, iov, op->a & 2 ? 1 : 1 + rng_below(rng, 24),
		     at + 64 - n, n + packet.len);
	if (rng_one_in(rng, 24))
		iov[rng_below(rng, pieces)].iov_base = NULL;
	return result_of(writev(op_fd(op), iov, pieces));
}

/* Pages instead of memory of ours: written through a pipe. */
static long op_splice(struct worker *worker, const struct op *op)
{
	struct packet packet = { .data = worker->room + 64 };
	unsigned int headers;
	size_t n, size;
	int ends[2];
	long result;
	bool tap;

	headers = queue_headers(op, &tap);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	packet_make(&worker->rng, &packet, 60000, tap);
	n = put_headers(&worker->rng, worker->room, &packet, headers);
	memmove(worker->room + 64 - n, worker->room, n);
	size = n + packet.len;
	if (op->a & 2) {
		result = write(ends[1], worker->room + 64 - n, size);
		result = result_of(splice(ends[0], NULL, op_fd(op), NULL, size,
					  SPLICE_F_NONBLOCK));
	} else {
		result = result_of(splice(op_fd(op), NULL, ends[1], NULL, size,
					  SPLICE_F_NONBLOCK));
	}
	close(ends[0]);
	close(ends[1]);
	return result;
}

static long op_read(struct worker *worker, const struct op *op)
{
	unsigned char *at = worker->room;
	size_t size = interesting(&worker->rng), i;
	struct iovec iov[8];
	long result;
	int pieces;

	size = size > 70000 ? size % 70000 : size;
	memset(at + size, GUARD, 64);
	pieces = cut(&worker->rng, iov, op->a & 1 ? 1 : 8, at, size);
	if (op->a & 0x10)
		iov[0].iov_base = worker->edge - iov[0].iov_len / 2;
	result = result_of(readv(op_fd(op), iov, pieces));
	if (result > (long)size)
		report("read %ld bytes of %zu", result, size);
	for (i = 0; i < 64; i++)
		if (at[size + i] != GUARD)
			report("read wrote byte %zu behind its buffer", i);
	return result;
}

static long op_poll(struct worker *worker, const struct op *op)
{
	struct epoll_event event = { .events = op->x | EPOLLIN };
	struct pollfd poller = { op_fd(op), POLLIN | POLLOUT | POLLERR, 0 };
	int fd, flags;

	switch (op->a % 4) {
	case 0:
		return result_of(poll(&poller, 1, op->b % 4));
	case 1:
		fd = epoll_create1(EPOLL_CLOEXEC);
		epoll_ctl(fd, EPOLL_CTL_ADD, op_fd(op), &event);
		flags = epoll_wait(fd, &event, 1, op->b % 4);
		close(fd);
		return result_of(flags);
	case 2:
		flags = O_NONBLOCK | (op->b & 1 ? O_ASYNC : 0);
		return result_of(fcntl(op_fd(op), F_SETFL, flags));
	default:
		return result_of(fcntl(op_fd(op), F_SETOWN, getpid()));
	}
}

static long op_mmap(struct worker *worker, const struct op *op)
{
	void *at = mmap(NULL, 4096, PROT_READ | (op->a & 1 ? PROT_WRITE : 0),
			op->a & 2 ? MAP_SHARED : MAP_PRIVATE, op_fd(op),
			op->b % 4 * 4096);

	if (at == MAP_FAILED)
		return -errno;
	munmap(at, 4096);
	/* Rings are shared, or they are nothing. */
	if (!(op->a & 2))
		report("a private mapping has worked");
	return 0;
}

/* A child uses the fds too, and holds them for as long as it lives. */
static long op_fork(struct worker *worker, const struct op *op)
{
	struct itimerval timer = { .it_value.tv_usec = 30000 };
	int fd = op_fd(op), status, pid;
	char data[256] = "\x45";

	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		setitimer(ITIMER_REAL, &timer, NULL);
		switch (op->a % 4) {
		case 0:
			read(fd, data, sizeof(data));
			break;
		case 1:
			write(fd, data, sizeof(data));
			break;
		case 2:
			close(fd);
			break;
		default:
			ioctl(fd, TUNSETPERSIST, op->b & 1);
			break;
		}
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		kill(pid, SIGKILL);
	return 0;
}

static __u64 milliseconds(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1000ULL + at.tv_nsec / 1000000;
}

/*
 * Write to what others have given the kernel to read: it must not read twice
 * what it has checked once.
 */
static long op_flip(struct worker *worker, const struct op *op)
{
	/* Words of an entry: its length, its address, flags, header. */
	static const __u8 fields[] = { 2, 2, 0, 4, 6, 7, 8, 10 };
	unsigned int at = op->b % 16, stride = 1, rounds = 0, i;
	__u32 *words = (void *)worker->shared, old[8];
	__u64 end = milliseconds() + op->a % 16;

	/* A field of eight entries of a batch, or the words at the beginning. */
	if (!(op->a & 0x80)) {
		at = 16 + fields[op->b % COUNT_OF(fields)];
		stride = sizeof(struct vnic_packet) / sizeof(*words);
	}
	words += at;
	do {
		for (i = 0; i < 8; i++) {
			old[i] = __atomic_exchange_n(&words[i * stride],
						     op->x, __ATOMIC_RELAXED);
			/* It has to change, to something that is let pass. */
			if (old[i] == op->x || !old[i])
				old[i] = op->y % 1600;
		}
		if (rounds++ % 16 == 0)
			sched_yield();
		for (i = 0; i < 8; i++)
			__atomic_store_n(&words[i * stride], old[i],
					 __ATOMIC_RELAXED);
	} while (rounds % 64 || milliseconds() < end);
	return 0;
}

static long op_fdinfo(struct worker *worker, const struct op *op)
{
	char path[64], text[512];
	long result;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", op_fd(op));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = read(fd, text, sizeof(text));
	close(fd);
	return result;
}

/* Those that come more than once are more likely. */
const struct op_kind file_ops[] = {
	OP(attach), OP(ioctl), OP(write), OP(batch), OP(ioctl), OP(read),
	OP(flip), OP(write), OP(setiff), OP(write), OP(batch), OP(filter),
	OP(close), OP(open), OP(dup), OP(fork), OP(poll), OP(splice), OP(mmap),
	OP(fdinfo), OP(attach), OP(write), OP(batch), OP(batch), OP(read),
	OP(ioctl), OP(ioctl), OP(ring), OP(ring), OP(ring), OP(ring),
	OP(socket), OP(socket), OP(socket), OP(socket),
};

const unsigned int file_op_count = COUNT_OF(file_ops);
