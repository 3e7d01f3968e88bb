// SPDX-License-Identifier: GPL-2.0
/*
 * packets - send frames of one size through one interface, as they are.
 *
 *   packets [-n NETNS] [-m MARK] [-p PRIORITY] [-t TYPE] DEV COUNT SIZE
 *
 * SIZE is the whole frame's, Ethernet header included. COUNT 0 is "until
 * it cannot go on". The frames are broadcasts, IPv4 by their type (or what
 * -t says) and nothing by their content: the receiving stack takes them from the
 * interface, so that this counts them as received, and answers none. (A
 * type that nobody wants would be counted as dropped besides.)
 *
 * A frame that a full queue refuses is not sent again. Prints
 * "sent N refused N"; exit 0, or 1 when the interface has gone away.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void enter(const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
}

static void option(int fd, int name, int value)
{
	if (setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value)))
		die("setsockopt");
}

int main(int argc, char **argv)
{
	unsigned long count, size, sent = 0, refused = 0;
	static unsigned char frame[65536 + ETH_HLEN];
	int mark = 0, priority = 0, opt, fd;
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
	};
	struct ethhdr *eth = (void *)frame;

	while ((opt = getopt(argc, argv, "n:m:p:t:")) != -1) {
		switch (opt) {
		case 'n':
			enter(optarg);
			break;
		case 'm':
			mark = atoi(optarg);
			break;
		case 'p':
			priority = atoi(optarg);
			break;
		case 't':
			to.sll_protocol = htons(strtoul(optarg, NULL, 0));
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 3) {
		fprintf(stderr, "usage: packets [-n NETNS] [-m MARK] %s\n",
			"[-p PRIORITY] [-t TYPE] DEV COUNT SIZE");
		return 2;
	}
	to.sll_ifindex = if_nametoindex(argv[optind]);
	count = strtoul(argv[optind + 1], NULL, 0);
	size = strtoul(argv[optind + 2], NULL, 0);
	if (!to.sll_ifindex || size < ETH_HLEN || size > sizeof(frame))
		die(argv[optind]);

	memset(eth->h_dest, 0xff, ETH_ALEN);
	eth->h_source[0] = 2;
	eth->h_proto = to.sll_protocol;

	/* Protocol 0: this socket receives nothing. */
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0)
		die("socket");
	option(fd, SO_MARK, mark);
	option(fd, SO_PRIORITY, priority);
	while (!count || sent + refused < count) {
		if (sendto(fd, frame, size, 0, (void *)&to, sizeof(to)) >= 0)
			sent++;
		else if (errno == ENOBUFS)
			refused++;
		else
			break;
	}
	printf("sent %lu refused %lu\n", sent, refused);
	if (count && sent + refused == count)
		return 0;
	perror("packets");
	return 1;
}
