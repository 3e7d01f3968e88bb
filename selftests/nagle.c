// SPDX-License-Identifier: GPL-2.0
/*
 * nagle - TCP exchanges that need a delayed acknowledgment to go on.
 *
 *   nagle CLIENT_NETNS SERVER_NETNS ADDRESS CONNECTIONS ROUNDS SECONDS
 *
 * In each round a client writes one byte, and another one. Nagle's
 * algorithm holds the second back until the first is acknowledged. The
 * server answers only when it has both, and because it has just answered
 * it delays its acknowledgments: so every round waits for the server's
 * delayed acknowledgment timer. The timer runs with the server socket's
 * lock held; its packet makes the client's socket send the second byte.
 * A driver that delivers in the sender's context takes this byte to the
 * server's socket again, below the timer, and meets the lock: for ever.
 *
 * Prints the number of exchanges, and how many acknowledgments were
 * delayed on the server's side. Exit: 0, 1 not done within SECONDS, 2.
 */
#include "helper.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#define PORT		4242
#define MAX_CONNECTIONS	1000

static unsigned int connections, rounds;
static unsigned long exchanges;	/* read by the signal handler */

static void put_byte(int fd)
{
	if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
		die("send");
}

static void watch(int epoll, int fd, unsigned int number)
{
	struct epoll_event event = { .events = EPOLLIN };

	event.data.u64 = (unsigned long long)number << 32 | (unsigned int)fd;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl");
}

/* Answers each second byte of a connection until all clients have left. */
static void serve(int listener)
{
	static unsigned char have[MAX_CONNECTIONS];
	unsigned int i, open_ones = connections;
	int epoll = epoll_create1(0);
	struct epoll_event events[64];

	for (i = 0; i < connections; i++) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			die("accept");
		watch(epoll, fd, i);
	}
	while (open_ones) {
		int n = epoll_wait(epoll, events, 64, -1);

		while (n-- > 0) {
			unsigned int number = events[n].data.u64 >> 32;
			int fd = (int)events[n].data.u64;
			char buffer[16];
			ssize_t len = recv(fd, buffer, sizeof(buffer), 0);

			if (len <= 0) {
				close(fd);
				open_ones--;
				continue;
			}
			have[number] += len;
			while (have[number] >= 2) {
				have[number] -= 2;
				put_byte(fd);
			}
		}
	}
}

static void ask(const char *address)
{
	static unsigned int done[MAX_CONNECTIONS];
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
	struct epoll_event events[64];
	unsigned int i, open_ones = 0;
	int epoll = epoll_create1(0);

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		die(address);
	for (i = 0; i < connections; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, (void *)&to, sizeof(to)))
			die("connect");
		watch(epoll, fd, i);
		put_byte(fd);
		put_byte(fd);
		open_ones++;
	}
	while (open_ones) {
		int n = epoll_wait(epoll, events, 64, -1);

		while (n-- > 0) {
			unsigned int number = events[n].data.u64 >> 32;
			int fd = (int)events[n].data.u64;
			char answer;

			if (recv(fd, &answer, 1, 0) != 1)
				die("recv");
			__atomic_add_fetch(&exchanges, 1, __ATOMIC_RELAXED);
			if (++done[number] == rounds) {
				close(fd);
				open_ones--;
				continue;
			}
			put_byte(fd);
			put_byte(fd);
		}
	}
}

/* TcpExt: a line of names, then a line of numbers. */
static unsigned long delayed_acks(void)
{
	char names[8192], numbers[8192], *n, *v, *name_at, *value_at;
	FILE *file = fopen("/proc/self/net/netstat", "r");
	unsigned long value = 0;

	if (!file || !fgets(names, sizeof(names), file) ||
	    !fgets(numbers, sizeof(numbers), file))
		die("/proc/self/net/netstat");
	fclose(file);
	n = strtok_r(names, "\n ", &name_at);
	v = strtok_r(numbers, "\n ", &value_at);
	while (n && v) {
		if (!strcmp(n, "DelayedACKs"))
			value = strtoul(v, NULL, 10);
		n = strtok_r(NULL, "\n ", &name_at);
		v = strtok_r(NULL, "\n ", &value_at);
	}
	return value;
}

static void out_of_time(int signal)
{
	char text[80];
	int len;

	(void)signal;
	len = snprintf(text, sizeof(text), "out of time after %lu exchanges\n",
		       __atomic_load_n(&exchanges, __ATOMIC_RELAXED));
	if (write(STDOUT_FILENO, text, len) < 0)
		_exit(2);
	_exit(1);
}

int main(int argc, char **argv)
{
	struct sockaddr_in any = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
	int listener, status, one = 1;
	pid_t client;

	if (argc != 7) {
		fputs("usage: nagle CLIENT_NETNS SERVER_NETNS ADDRESS CONNECTIONS ROUNDS SECONDS\n",
		      stderr);
		return 2;
	}
	connections = atoi(argv[4]);
	rounds = atoi(argv[5]);
	if (!connections || connections > MAX_CONNECTIONS || !rounds)
		return 2;

	enter(argv[2]);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (listener < 0 || bind(listener, (void *)&any, sizeof(any)) ||
	    listen(listener, connections))
		die("listen");

	client = fork();
	if (client < 0)
		die("fork");
	if (!client) {
		close(listener);
		enter(argv[1]);
		signal(SIGALRM, out_of_time);
		alarm(atoi(argv[6]));
		ask(argv[3]);
		printf("%lu exchanges\n", exchanges);
		return 0;
	}
	/* The client goes first: the kernel then ends the server's reads. */
	alarm(atoi(argv[6]) + 5);
	serve(listener);
	if (waitpid(client, &status, 0) != client || !WIFEXITED(status))
		return 2;
	printf("%lu delayed acknowledgments\n", delayed_acks());
	return WEXITSTATUS(status);
}
