// SPDX-License-Identifier: GPL-2.0
/*
 * socket - the queue of a file as a socket, and messages of all sorts on it
 *
 * A socket takes a file's place among the fds of the world, so that every other
 * operation comes to it as well.
 */
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "fuzz.h"

/* Of many at once, as sendmmsg() and recvmmsg() have it */
#define MESSAGES	4

static long socket_open(const struct op *op)
{
	static const int flags[] = { O_CLOEXEC, O_CLOEXEC | O_NONBLOCK, 0, -1 };
	int sock = ioctl(op_fd(op), VNIC_IOC_SOCKET, flags[op->b & 3]);

	if (sock < 0)
		return -errno;
	put_fd(op->a >> 2, sock);
	return 0;
}

/*
 * Control messages: none, one that says what vhost says to tun, with pointers
 * that are none or are the program's, or anything; with a length or without.
 */
static void put_control(struct worker *worker, struct msghdr *msg)
{
	struct rng *rng = &worker->rng;
	__u64 *control = (__u64 *)(worker->room + 65536);

	if (rng_one_in(rng, 2))
		return;
	control[0] = rng_below(rng, 4) | (__u64)rng_below(rng, 80) << 16;
	control[1] = rng_one_in(rng, 2) ? (__u64)(unsigned long)worker->room :
					  interesting(rng);
	msg->msg_control = control;
	msg->msg_controllen = rng_one_in(rng, 3) ? 0 : rng_below(rng, 80);
}

static long socket_send(struct worker *worker, const struct op *op)
{
	struct packet packet = { .data = worker->room + 64 };
	struct mmsghdr messages[MESSAGES] = { };
	struct iovec iov[MESSAGES];
	unsigned int i, n, headers;
	bool tap;

	headers = queue_headers(op, &tap);
	packet_make(&worker->rng, &packet, 60000, tap);
	n = put_headers(&worker->rng, worker->room, &packet, headers);
	memmove(worker->room + 64 - n, worker->room, n);
	for (i = 0; i < MESSAGES; i++) {
		iov[i] = (struct iovec) {
			worker->room + 64 - n, n + packet.len,
		};
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		put_control(worker, &messages[i].msg_hdr);
	}
	return result_of(sendmmsg(op_fd(op), messages, 1 + (op->b & 3),
				  MSG_DONTWAIT | (op->b & 4 ? MSG_MORE : 0)));
}

static long socket_recv(struct worker *worker, const struct op *op)
{
	struct mmsghdr messages[MESSAGES] = { };
	struct iovec iov[MESSAGES];
	unsigned int i;

	for (i = 0; i < MESSAGES; i++) {
		iov[i] = (struct iovec) {
			argument(worker, op, 2048), rng_below(&worker->rng, 4096),
		};
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	return result_of(recvmmsg(op_fd(op), messages, 1 + (op->b & 3),
				  MSG_DONTWAIT |
				  (op->b & 4 ? MSG_TRUNC : 0) |
				  (op->b & 8 ? MSG_PEEK : 0), NULL));
}

/**
 * op_socket() - something about the socket of a queue
 * @worker: the thread
 * @op: the operation
 *
 * Return: 0 or more, or -errno.
 */
long op_socket(struct worker *worker, const struct op *op)
{
	int number = interesting(&worker->rng);

	switch (op->a & 3) {
	case 0:
		return socket_open(op);
	case 1:
		return socket_recv(worker, op);
	case 2:
		if (op->b & 0x10)
			return socket_send(worker, op);
		return result_of(setsockopt(op_fd(op), SOL_SOCKET,
					    rng_below(&worker->rng, 80),
					    &number, sizeof(number)));
	default:
		return socket_send(worker, op);
	}
}
