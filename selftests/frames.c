// SPDX-License-Identifier: GPL-2.0
/*
 * frames - send frames by one interface and see them come in by another one,
 * every one of them, in order, and byte for byte what is expected.
 *
 *   frames [OPTION]... NETNS DEV NETNS DEV COUNT SIZE
 *
 * The second interface may be the first, for what is sent back. SIZE is that
 * of the whole frame when it is sent.
 *
 *   -h N     N bytes are missing in front when it arrives; or, if negative,
 *            there are as many more, of which the first four are 0xff
 *   -t N     N bytes are missing at its end; or there are more, all zero
 *   -s       the addresses have changed places
 *   -c N     byte 14 is what was byte N
 *   -k K     frames of the kinds 0 to K - 1 in turn, and only those ...
 *   -e E     ... of kind E arrive
 *   -w N     no more than N of these on their way at a time (default 32)
 *
 * Prints "sent N received N". Exit: 0, 1 something else came or nothing did.
 */
#include "helper.h"

static unsigned char frame[FRAME_MAX], wanted[FRAME_MAX], got[FRAME_MAX];
static int head, tail, size, copied = -1;
static bool swap;

/* What the frame with this number has become on its way; its length */
static int expect(unsigned int number, unsigned char kind)
{
	int len = size - head - tail;

	frame_make(frame, size, number, kind);
	memset(wanted, 0, sizeof(wanted));
	if (swap) {
		memcpy(wanted, frame, 2 * ETH_ALEN);
		memcpy(frame, wanted + ETH_ALEN, ETH_ALEN);
		memcpy(frame + ETH_ALEN, wanted, ETH_ALEN);
		memset(wanted, 0, 2 * ETH_ALEN);
	}
	if (copied >= 0)
		frame[FRAME_KIND] = frame[copied];
	if (head >= 0) {
		memcpy(wanted, frame + head, size - head - (tail > 0 ? tail : 0));
	} else {
		memset(wanted, 0xff, 4);
		memcpy(wanted - head, frame, size - (tail > 0 ? tail : 0));
	}
	return len;
}

static bool receive_one(int fd, unsigned int number, unsigned char kind)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	int len;

	if (poll(&readable, 1, PATIENCE) != 1) {
		fprintf(stderr, "frame %u did not arrive\n", number);
		return false;
	}
	len = recv(fd, got, sizeof(got), MSG_DONTWAIT);
	if (len < 0) {
		perror("recv");
		return false;
	}
	/* What was in front of the frame before is there still. */
	if (head < -4 && len > -head)
		memset(got + 4, 0, -head - 4);
	return frame_is(got, len, wanted, expect(number, kind), number);
}

/*
 * On one processor, as what comes by two is in any order: each has a cell of its
 * own, as it has a backlog for other devices.
 */
static void stay(void)
{
	int cpu = sched_getcpu();
	cpu_set_t one;

	if (cpu < 0)
		die("sched_getcpu");
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity");
}

/* The next frame after @number that arrives */
static unsigned int next(unsigned int number, int kinds, int kind)
{
	do
		number++;
	while (number % kinds != (unsigned int)kind);
	return number;
}

int main(int argc, char **argv)
{
	unsigned int count, sent, due, kinds = 1, kind = 0, window = 32;
	unsigned int to_come = 0, received = 0;
	int opt, from, to;

	while ((opt = getopt(argc, argv, "h:t:sc:k:e:w:")) != -1) {
		switch (opt) {
		case 'h':
			head = atoi(optarg);
			break;
		case 't':
			tail = atoi(optarg);
			break;
		case 's':
			swap = true;
			break;
		case 'c':
			copied = atoi(optarg);
			break;
		case 'k':
			kinds = atoi(optarg);
			break;
		case 'e':
			kind = atoi(optarg);
			break;
		case 'w':
			window = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	argv += optind;
	if (argc - optind != 6 || kind >= kinds) {
		fputs("usage: frames [OPTION]... NETNS DEV NETNS DEV COUNT SIZE\n",
		      stderr);
		return 2;
	}
	count = atoi(argv[4]);
	size = atoi(argv[5]);
	if (size < FRAME_KIND + 1 || size > 65536 || size - head < ETH_HLEN)
		die(argv[5]);

	stay();
	enter(argv[2]);
	to = packet_socket(argv[3], true);
	enter(argv[0]);
	from = packet_socket(argv[1], false);

	due = next(-1U, kinds, kind);
	for (sent = 0; sent < count; sent++) {
		if (to_come - received == window) {
			if (!receive_one(to, due, kind))
				return 1;
			received++;
			due = next(due, kinds, kind);
		}
		frame_make(frame, size, sent, sent % kinds);
		if (send(from, frame, size, 0) != size) {
			fprintf(stderr, "frame %u: ", sent);
			die("send");
		}
		to_come += sent % kinds == kind;
	}
	for (; received < to_come; received++) {
		if (!receive_one(to, due, kind))
			return 1;
		due = next(due, kinds, kind);
	}
	printf("sent %u received %u\n", sent, received);
	return 0;
}
