/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What helpers with more than one end share: giving up, a socket in a
 * namespace, frames of which every byte is known, attributes of netlink.
 */
#ifndef HELPER_H
#define HELPER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif

/*
 * How long what is on its way may take (milliseconds): machines are slow, and
 * kernels that check themselves VNIC_PATIENCE times slower.
 */
#ifndef VNIC_PATIENCE
#define VNIC_PATIENCE		1
#endif
#define PATIENCE		(20000 * VNIC_PATIENCE)

/* Room around a frame for what a program may add to it */
#define FRAME_MAX		(65536 + 64)

/* Where a frame has its kind, which a program may go by, and its number */
#define FRAME_KIND		ETH_HLEN
#define FRAME_NUMBER		(FRAME_KIND + 1)

static inline void die(const char *what)
{
	perror(what);
	exit(2);
}

/* An attribute at the end of a message that has room for it */
static inline struct nlattr *attr_put(struct nlmsghdr *head, int type,
				      const void *data, size_t len)
{
	struct nlattr *attr = (void *)((char *)head + head->nlmsg_len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(attr + 1, data, len);
	head->nlmsg_len += NLA_ALIGN(attr->nla_len);
	return attr;
}

/* From here on, this process is in that namespace. */
static inline void enter(const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

static inline long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * A broadcast of @size bytes, of a type that the stack takes and with a content
 * that it answers to in no way. (packets.c says why.)
 */
static inline void frame_make(unsigned char *frame, unsigned int size,
			      unsigned int number, unsigned char kind)
{
	static const unsigned char source[] = { 2, 0, 0, 0, 0, 1 };
	unsigned int i;

	memset(frame, 0xff, ETH_ALEN);
	memcpy(frame + ETH_ALEN, source, ETH_ALEN);
	frame[12] = ETH_P_IP >> 8;
	frame[13] = ETH_P_IP & 0xff;
	for (i = ETH_HLEN; i < size; i++)
		frame[i] = number * 31 + i * 7 + (i >> 8);
	frame[FRAME_KIND] = kind;
	if (size >= FRAME_NUMBER + 4) {
		number = htonl(number);
		memcpy(frame + FRAME_NUMBER, &number, 4);
	}
}

/* Says where two frames begin to differ. */
static inline bool frame_is(const unsigned char *got, int len,
			    const unsigned char *wanted, int wanted_len,
			    unsigned int number)
{
	int i;

	for (i = 0; i < len && i < wanted_len; i++) {
		if (got[i] == wanted[i])
			continue;
		fprintf(stderr, "frame %u: byte %d is %02x, not %02x\n",
			number, i, got[i], wanted[i]);
		return false;
	}
	if (len != wanted_len)
		fprintf(stderr, "frame %u: %d bytes, not %d\n", number, len,
			wanted_len);
	return len == wanted_len;
}

/* Sees what comes in by an interface, or nothing; sends either way. */
static inline int packet_socket(const char *dev, bool receive)
{
	int size = 16 << 20, one = 1, fd;
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = receive ? htons(ETH_P_ALL) : 0,
		.sll_ifindex = if_nametoindex(dev),
	};

	/* Of no protocol at first: not what comes before it is bound. */
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || !at.sll_ifindex)
		die(dev);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		       sizeof(one)) ||
	    bind(fd, (void *)&at, sizeof(at)))
		die(dev);
	return fd;
}

#endif
