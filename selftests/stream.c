// SPDX-License-Identifier: GPL-2.0
/*
 * stream - a TCP connection between two namespaces that both ends keep full,
 * and whose every byte is compared, until it is told to stop (SIGINT).
 *
 *   stream NETNS NETNS ADDRESS PORT
 *
 * The second namespace takes what comes to this PORT of any address of its own:
 * ADDRESS need not be one, if somebody changes it on the way. What each end
 * sends repeats itself after a prime number of bytes, and is another one each
 * way. Prints a dot with each megabyte that has arrived, and "there N back N"
 * at the end, when all that was sent has arrived. Exit: 0, or 1 with the
 * reason.
 */
#include "helper.h"

#include <signal.h>

#define PERIOD		65521
#define PIECE		65536

static unsigned char pattern[2][PERIOD + PIECE];
static sig_atomic_t stop;

struct end {
	int fd;
	int other;			/* whose pattern it receives */
	unsigned long long sent, received;
	bool shut, over;
};

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void make_patterns(void)
{
	unsigned int i, value = 12345;

	for (i = 0; i < PERIOD + PIECE; i++) {
		value = value * 1103515245 + 12345;
		pattern[0][i] = i < PERIOD ? value >> 16 :
					     pattern[0][i - PERIOD];
		pattern[1][i] = i < PERIOD ? value >> 21 :
					     pattern[1][i - PERIOD];
	}
}

static bool send_some(struct end *end, const unsigned char *from)
{
	ssize_t n;

	if (stop) {
		end->shut = true;
		return !shutdown(end->fd, SHUT_WR);
	}
	n = send(end->fd, from + end->sent % PERIOD, PIECE,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN;
	end->sent += n;
	return true;
}

static bool receive_some(struct end *end, const unsigned char *wanted)
{
	static unsigned char got[PIECE];
	ssize_t n = recv(end->fd, got, sizeof(got), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN;
	if (!n) {
		end->over = true;
		return true;
	}
	if (memcmp(got, wanted + end->received % PERIOD, n)) {
		fprintf(stderr, "wrong bytes after %llu\n", end->received);
		errno = EBADMSG;
		return false;
	}
	if (end->received >> 20 != (end->received + n) >> 20)
		putchar('.');
	end->received += n;
	return true;
}

static int connect_both(struct end *end, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int listener, one = 1;

	at.sin_port = htons(atoi(argv[4]));
	enter(argv[2]);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (void *)&at, sizeof(at)) || listen(listener, 1))
		return -1;
	if (inet_pton(AF_INET, argv[3], &at.sin_addr) != 1)
		return -1;
	enter(argv[1]);
	end[0].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(end[0].fd, (void *)&at, sizeof(at)))
		return -1;
	end[1].fd = accept(listener, NULL, NULL);
	return end[1].fd < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct end end[2] = { { .other = 1 }, { .other = 0 } };
	long progress;
	int i;

	if (argc != 5) {
		fputs("usage: stream NETNS NETNS ADDRESS PORT\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	make_patterns();
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (connect_both(end, argv))
		die("stream");
	progress = milliseconds();
	while (!end[0].over || !end[1].over) {
		unsigned long long before = end[0].received + end[1].received;
		struct pollfd ready[2];

		for (i = 0; i < 2; i++) {
			ready[i].fd = end[i].over && end[i].shut ? -1 :
				      end[i].fd;
			ready[i].events = (end[i].over ? 0 : POLLIN) |
					  (end[i].shut ? 0 : POLLOUT);
		}
		if (poll(ready, 2, 100) < 0 && errno != EINTR)
			die("poll");
		for (i = 0; i < 2; i++) {
			if ((stop || (ready[i].revents & POLLOUT)) &&
			    !end[i].shut && !send_some(&end[i], pattern[i])) {
				perror("send");
				return 1;
			}
			if (!end[i].over && (ready[i].revents & ~POLLOUT) &&
			    !receive_some(&end[i], pattern[end[i].other])) {
				perror("recv");
				return 1;
			}
		}
		if (end[0].received + end[1].received != before)
			progress = milliseconds();
		/* TCP may wait for long after a loss, and longer each time. */
		if (milliseconds() - progress > 3 * PATIENCE) {
			fprintf(stderr, "nothing arrives any more after %llu and %llu\n",
				end[0].received, end[1].received);
			return 1;
		}
	}
	printf("\nthere %llu back %llu\n", end[1].received, end[0].received);
	for (i = 0; i < 2; i++) {
		if (end[i].sent == end[!i].received)
			continue;
		fprintf(stderr, "sent %llu, of which %llu have arrived\n",
			end[i].sent, end[!i].received);
		return 1;
	}
	return 0;
}
