// SPDX-License-Identifier: GPL-2.0
/*
 * vnic-pcap - feed a capture file into a device, and capture what it sends
 *
 *	--read FILE  --->  the stack receives   +--------+
 *	                                        | device |
 *	--write FILE <---  the stack sends      +--------+
 *
 * With the times of the capture, each packet has a deadline: the moment of the
 * first one, and on top what has passed between the two in the file. A packet
 * is never fed before its deadline, and a late one does not move those after
 * it. All that are due go with one call, up to BATCH of them.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <pcap/pcap.h>

#include <libvnic.h>

#define BATCH		64
/* The longest: an MTU of 65535 and what can stand before it. */
#define FRAME_MAX	(65535 + ETH_HLEN + 4)

#define NANO		PCAP_TSTAMP_PRECISION_NANO
#define SECOND		1000000000LL
/* A time that no capture has, and that can still be added to another. */
#define SECONDS_MAX	4294967296LL

enum { EXIT_USAGE = 2, EXIT_REFUSED = 3 };

static struct {
	bool tap;
	int fd, signal_fd, timer_fd;
	char name[VNIC_NAME_SIZE];

	/* what was asked for */
	const char *read_name, *write_name;
	bool fast;
	unsigned long long loops, most;
	long long linger;
	unsigned int snaplen;

	/* feeding: the file, its next packet, and those on their way */
	pcap_t *file;
	struct pcap_pkthdr *header;
	const unsigned char *data;
	bool next, some;
	long long begin, first, deadline;
	struct vnic_packet *out;
	unsigned int out_first, out_count;
	unsigned long long fed, fed_bytes, refused, cut_in_file;
	int why;

	/* capturing */
	pcap_t *format;
	pcap_dumper_t *dump;
	struct vnic_packet *in;
	unsigned long long got, got_bytes, cut;
	long long end;
} run = {
	.loops = 1,
	.linger = -1,
	.snaplen = FRAME_MAX,
};

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

static void report(void)
{
	if (run.read_name)
		warnx("fed %llu packets, %llu bytes, %llu refused", run.fed,
		      run.fed_bytes, run.refused);
	if (run.refused)
		warnx("refused: %s", vnic_strerror(VNIC_CALL_PACKET, run.why));
	if (run.cut_in_file)
		warnx("%llu packets are not whole in %s", run.cut_in_file,
		      run.read_name);
	if (run.write_name)
		warnx("wrote %llu packets, %llu bytes, %llu cut", run.got,
		      run.got_bytes, run.cut);
}

/* What was captured until now is kept. */
static noreturn void give_up(enum vnic_call call, int error)
{
	warnx("%s: %s", run.name, vnic_strerror(call, error));
	report();
	exit(EXIT_FAILURE);
}

/* -------------------------------------------------------------- feeding */

static void open_file(void)
{
	char error[PCAP_ERRBUF_SIZE];
	int type;

	run.file = pcap_open_offline_with_tstamp_precision(run.read_name, NANO,
							   error);
	if (!run.file)
		errx(EXIT_FAILURE, "%s: %s", run.read_name, error);
	type = pcap_datalink(run.file);
	if (run.tap && type == DLT_EN10MB)
		return;
	if (!run.tap &&
	    (type == DLT_RAW || type == DLT_IPV4 || type == DLT_IPV6))
		return;
	errx(EXIT_FAILURE, "%s holds %s, and %s wants %s", run.read_name,
	     pcap_datalink_val_to_description_or_dlt(type), run.name,
	     run.tap ? "Ethernet frames (EN10MB)" : "IP packets (RAW)");
}

static long long between(long long value, long long least, long long most)
{
	if (value < least)
		return least;
	return value > most ? most : value;
}

/* Nanoseconds since the file's first packet. A file may claim anything. */
static long long offset(void)
{
	long long time = between(run.header->ts.tv_sec, 0, SECONDS_MAX);

	time = time * SECOND + between(run.header->ts.tv_usec, 0, SECOND - 1);
	if (!run.some)
		run.first = time;
	return time - run.first;
}

/* The next packet of the file, and when it is due: never before its last. */
static void read_packet(void)
{
	int result = pcap_next_ex(run.file, &run.header, &run.data);
	long long due;

	if (result == PCAP_ERROR)
		errx(EXIT_FAILURE, "%s: %s", run.read_name,
		     pcap_geterr(run.file));
	if (result == PCAP_ERROR_BREAK) {
		run.next = false;
		return;
	}
	run.next = true;
	if (!run.fast) {
		due = run.begin + offset();
		if (due > run.deadline)
			run.deadline = due;
	}
	run.some = true;
}

/* Once more from the start, where the last packet was due. */
static void begin_file(void)
{
	bool again = run.some || !run.file;

	if (run.file)
		pcap_close(run.file);
	run.file = NULL;
	run.next = false;
	if (!again)
		return;
	open_file();
	run.some = false;
	run.begin = run.deadline;
	read_packet();
}

static bool is_due(long long time)
{
	return run.next && (run.fast || run.deadline <= time);
}

static void take_packet(void)
{
	struct vnic_packet *packet = &run.out[run.out_count];
	unsigned int len = run.header->caplen;

	if (len < run.header->len)
		run.cut_in_file++;
	if (len > FRAME_MAX) {
		run.refused++;
		run.why = EMSGSIZE;
	} else {
		memcpy(vnic_packet_data(packet), run.data, len);
		vnic_packets_reset(packet, 1, len);
		run.out_count++;
	}
	read_packet();
	if (!run.next && (!run.loops || --run.loops))
		begin_file();
}

/* What is due, as far as there is room for it. */
static void feed(void)
{
	struct vnic_packet *packet;
	long long time = now();
	int i, taken;

	while (run.out_count < BATCH && is_due(time))
		take_packet();
	if (!run.out_count)
		return;
	packet = &run.out[run.out_first];
	taken = vnic_send(run.fd, packet, run.out_count - run.out_first, 0);
	if (taken == -EAGAIN || taken == -EINTR)
		return;
	if (taken < 0)
		give_up(VNIC_CALL_SEND, taken);
	for (i = 0; i < taken; i++, packet++) {
		if (packet->result) {
			run.refused++;
			run.why = packet->result;
		} else {
			run.fed++;
			run.fed_bytes += packet->len;
		}
	}
	run.out_first += taken;
	if (run.out_first == run.out_count) {
		run.out_first = 0;
		run.out_count = 0;
	}
}

/* ------------------------------------------------------------ capturing */

static void open_dump(void)
{
	int type = run.tap ? DLT_EN10MB : DLT_RAW;

	run.format = pcap_open_dead_with_tstamp_precision(type, run.snaplen,
							  NANO);
	if (!run.format)
		errx(EXIT_FAILURE, "not enough memory");
	run.dump = pcap_dump_open(run.format, run.write_name);
	if (!run.dump)
		errx(EXIT_FAILURE, "%s", pcap_geterr(run.format));
}

static void close_dump(void)
{
	if (pcap_dump_flush(run.dump) || ferror(pcap_dump_file(run.dump)))
		err(EXIT_FAILURE, "%s", run.write_name);
	pcap_dump_close(run.dump);
	pcap_close(run.format);
}

static void write_packet(const struct vnic_packet *packet,
			 const struct timespec *time)
{
	struct pcap_pkthdr header;

	memset(&header, 0, sizeof(header));
	header.ts.tv_sec = time->tv_sec;
	/* Nanoseconds, as the file says at its beginning. */
	header.ts.tv_usec = time->tv_nsec;
	header.len = packet->len;
	header.caplen = packet->len;
	if (packet->len > run.snaplen) {
		header.caplen = run.snaplen;
		run.cut++;
	}
	pcap_dump((void *)run.dump, &header, vnic_packet_data(packet));
	run.got++;
	run.got_bytes += packet->len;
}

/* True if there was something. All that come with one call have one time. */
static bool capture(void)
{
	unsigned int count = BATCH;
	struct timespec time;
	int i, filled;

	if (run.most && run.most - run.got < count)
		count = run.most - run.got;
	vnic_packets_reset(run.in, count, run.snaplen);
	filled = vnic_recv(run.fd, run.in, count, 0);
	if (filled == -EAGAIN || filled == -EINTR)
		return false;
	if (filled < 0)
		give_up(VNIC_CALL_RECV, filled);
	clock_gettime(CLOCK_REALTIME, &time);
	for (i = 0; i < filled; i++) {
		if (!run.in[i].result)
			write_packet(&run.in[i], &time);
	}
	if (ferror(pcap_dump_file(run.dump)))
		err(EXIT_FAILURE, "%s", run.write_name);
	return filled > 0;
}

/* -------------------------------------------------------------- running */

/* NAME[@NETNS] */
static void open_device(const char *text)
{
	unsigned int flags = run.tap ? IFF_TAP : IFF_TUN;
	int result, length = strcspn(text, "@");

	if (!length || length >= VNIC_NAME_SIZE)
		errx(EXIT_FAILURE, "%s: a device has a name of 1 to 15 letters",
		     text);
	snprintf(run.name, sizeof(run.name), "%.*s", length, text);
	run.fd = vnic_open(text[length] ? text + length + 1 : NULL, O_NONBLOCK);
	if (run.fd < 0)
		errx(EXIT_FAILURE, "%s: %s", text,
		     vnic_strerror(VNIC_CALL_OPEN, run.fd));
	result = vnic_attach(run.fd, run.name, flags);
	/* A device that was made for many queues wants to be asked for one. */
	if (result == -EINVAL)
		result = vnic_attach(run.fd, run.name, flags | IFF_MULTI_QUEUE);
	if (result)
		errx(EXIT_FAILURE, "%s: %s", text,
		     vnic_strerror(VNIC_CALL_ATTACH, result));
	result = vnic_up(run.fd);
	if (result)
		warnx("%s is left as it is: %s; type: ip link set %s up", text,
		      vnic_strerror(VNIC_CALL_OTHER, result), run.name);
}

static void open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	run.signal_fd = -1;
	if (!sigprocmask(SIG_BLOCK, &set, NULL))
		run.signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	run.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (run.signal_fd < 0 || run.timer_fd < 0)
		err(EXIT_FAILURE, "signals");
}

static int wake_at(long long time)
{
	struct itimerspec when = {
		.it_value.tv_sec = time / SECOND,
		/* All zero would be never. */
		.it_value.tv_nsec = time % SECOND + !time,
	};

	if (timerfd_settime(run.timer_fd, TFD_TIMER_ABSTIME, &when, NULL))
		err(EXIT_FAILURE, "timer");
	return run.timer_fd;
}

/* Sleeps until there is something to do; false when told to end. */
static bool wait_for_work(void)
{
	struct pollfd files[] = {
		{ .fd = run.fd, .events = run.dump ? POLLIN : 0 },
		{ .fd = run.signal_fd, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};
	bool busy = false;

	if (run.out_count)
		files[0].events |= POLLOUT;
	else if (is_due(now()))
		busy = true;
	else if (run.next)
		files[2].fd = wake_at(run.deadline);
	else if (run.end)
		files[2].fd = wake_at(run.end);
	if (poll(files, 3, busy ? 0 : -1) < 0 && errno != EINTR)
		err(EXIT_FAILURE, "poll");
	if (files[0].revents & POLLERR)
		give_up(VNIC_CALL_RECV, -EBADFD);
	return !files[1].revents;
}

/* Until the file is at its end, or there are enough, or a signal comes. */
static void work(void)
{
	bool more = true;

	do {
		feed();
		if (run.dump)
			more = capture();
		if (run.most && run.got >= run.most)
			return;
		if (!run.read_name || run.next || run.out_count)
			continue;
		/* All was fed. How long is what the device sends waited for? */
		if (!run.dump)
			return;
		if (run.linger < 0 && run.most)
			continue;
		if (!run.end)
			run.end = now() + (run.linger > 0 ? run.linger : 0) *
				SECOND;
		if (!more && now() >= run.end)
			return;
	} while (wait_for_work());
}

static const char usage[] =
	"usage: vnic-pcap [OPTION]... tap:NAME[@NETNS] | tun:NAME[@NETNS]\n"
	"Feed a capture file into a device, and capture what the device sends.\n"
	"\n"
	"  -r, --read FILE       feed this; - is standard input\n"
	"  -f, --fast            without the times that are in it\n"
	"  -l, --loop N          N times; 0 is until the end is told by a signal\n"
	"  -w, --write FILE      write what the device sends; - is standard output\n"
	"  -c, --count N         and end when this has N packets\n"
	"  -t, --linger SECONDS  and end so long after the feeding; without -c 0\n"
	"  -s, --snaplen BYTES   of each packet\n"
	"  -h, --help            this\n"
	"  -V, --version         which one this is\n"
	"\n"
	"Exit status: 0 done, 1 it could not, 2 wrong usage, 3 packets were refused.\n";

static unsigned long long in_range(const char *what, const char *text,
				   unsigned long long least,
				   unsigned long long most)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9' || value < least ||
	    value > most) {
		warnx("--%s %s: give a number from %llu to %llu", what, text,
		      least, most);
		exit(EXIT_USAGE);
	}
	return value;
}

static void options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "read", required_argument, NULL, 'r' },
		{ "fast", no_argument, NULL, 'f' },
		{ "loop", required_argument, NULL, 'l' },
		{ "write", required_argument, NULL, 'w' },
		{ "count", required_argument, NULL, 'c' },
		{ "linger", required_argument, NULL, 't' },
		{ "snaplen", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "r:fl:w:c:t:s:hV", longs,
				     NULL)) != -1) {
		switch (letter) {
		case 'r':
			run.read_name = optarg;
			break;
		case 'f':
			run.fast = true;
			break;
		case 'l':
			run.loops = in_range("loop", optarg, 0, ULLONG_MAX);
			break;
		case 'w':
			run.write_name = optarg;
			break;
		case 'c':
			run.most = in_range("count", optarg, 1, ULLONG_MAX);
			break;
		case 't':
			run.linger = in_range("linger", optarg, 0, 1000000);
			break;
		case 's':
			run.snaplen = in_range("snaplen", optarg, 1, FRAME_MAX);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		case 'V':
			printf("vnic-pcap %s\n", LIBVNIC_VERSION);
			exit(EXIT_SUCCESS);
		default:
			exit(EXIT_USAGE);
		}
	}
}

static void check_usage(int argc, char **argv)
{
	const char *problem = NULL;

	if (argc != 1)
		problem = "name one device";
	else if (strncmp(argv[0], "tap:", 4) && strncmp(argv[0], "tun:", 4))
		problem = "a device is tap:NAME or tun:NAME";
	else if (!run.read_name && !run.write_name)
		problem = "nothing to do: give --read FILE or --write FILE";
	else if (run.most && !run.write_name)
		problem = "--count counts what --write writes";
	else if (run.read_name && !strcmp(run.read_name, "-") && run.loops != 1)
		problem = "standard input can be read but once";
	if (problem) {
		warnx("%s; try vnic-pcap --help", problem);
		exit(EXIT_USAGE);
	}
}

int main(int argc, char **argv)
{
	options(argc, argv);
	argc -= optind;
	argv += optind;
	check_usage(argc, argv);
	run.tap = !strncmp(argv[0], "tap:", 4);

	run.out = vnic_packets_new(BATCH, FRAME_MAX);
	run.in = vnic_packets_new(BATCH, run.snaplen);
	if (!run.out || !run.in)
		errx(EXIT_FAILURE, "not enough memory");
	open_signals();
	open_device(argv[0] + 4);
	if (run.write_name)
		open_dump();
	run.deadline = now();
	if (run.read_name)
		begin_file();

	work();

	if (run.dump)
		close_dump();
	if (run.file)
		pcap_close(run.file);
	report();
	vnic_packets_free(run.out);
	vnic_packets_free(run.in);
	close(run.fd);
	return run.refused ? EXIT_REFUSED : EXIT_SUCCESS;
}
