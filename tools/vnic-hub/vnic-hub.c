// SPDX-License-Identifier: GPL-2.0
/*
 * vnic-hub - one network of devices, namespaces and other machines
 *
 *	  namespace red                                    another machine
 *	  tap0 (vntap) ------ port 0 ---+            +---- vnic-hub there
 *	                                |   switch   |
 *	  namespace blue                +------------+---- port 2: UDP
 *	  tap0 (vntap) ------ port 1 ---+
 *
 * Ports are vntap devices and UDP peers; then this is an Ethernet switch that
 * learns who lives where. Or they are vntun devices and UDP peers; then there
 * are no addresses to learn from, and each packet goes to all other ports,
 * which for two of them is a link. What comes over UDP is a frame or packet in
 * each datagram, without a header, as it is: a VPN without the crypto.
 *
 * A frame is copied once from the kernel and once to it. Up to BATCH of them
 * are taken with one call from one port; each is put, as an address and a
 * length, on the list of every port that it goes to, and then each such list
 * is sent with one call. So no frame outlives the round of the loop in which
 * it came, and nothing is ever queued here: a port that has no room drops.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/sockios.h>

#include <libvnic.h>

#define BATCH		64
/* The longest: an MTU of 65535 and what can stand before it. */
#define FRAME_MAX	(65535 + ETH_HLEN + 4)

/* The address table: sets of a few entries, so that a look is a short one. */
#define SETS		1024
#define WAYS		4

/* Of each sort, named and learned. */
#define PORTS_MAX	1000

#define IPV4_MIN	20
#define IPV6_MIN	40

enum { EXIT_USAGE = 2 };

/**
 * struct port - where frames come from and go to
 * @text: as it was given on the command line, or made up for a learned peer
 * @fd: of the device; -1 for a peer, and once the device is gone
 * @peer: behind the UDP socket, which all peers share
 * @learned: was not given, but has sent something
 * @heard: when it last did, in seconds
 * @address: of a peer
 * @out: what is to be sent in this round
 * @out_count: entries of it
 *
 * A port never moves in memory and keeps its number: the address table and
 * epoll refer to it.
 */
struct port {
	char text[128];
	int fd;
	bool peer, learned;
	time_t heard;
	struct sockaddr_storage address;
	struct vnic_packet out[BATCH];
	unsigned int out_count;
	unsigned long long rx_packets, rx_bytes, rx_bad;
	unsigned long long tx_packets, tx_bytes, tx_dropped;
};

/**
 * struct entry - behind which port is this address?
 * @mac: the address; all zero where there is none
 * @port: number of the port
 * @seen: when it last sent something, in seconds
 */
struct entry {
	unsigned char mac[ETH_ALEN];
	unsigned short port;
	time_t seen;
};

static struct hub {
	bool tap;
	const char *bind_text, *user;
	unsigned int learn, mtu, keepalive;
	time_t age;

	struct port *ports;
	unsigned int port_count, port_room, devices;
	struct entry table[SETS][WAYS];
	unsigned long long seed;
	time_t now;

	int poll_fd, signal_fd, timer_fd, udp_fd;
	int family;
	socklen_t address_size;

	struct vnic_packet *packets;	/* the round's frames */
	unsigned long long flooded, local, moved, strangers;
} hub = {
	.age = 300,
	.udp_fd = -1,
	.timer_fd = -1,
};

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

/* ------------------------------------------------------- the address table */

static const unsigned char no_mac[ETH_ALEN];

/* Seeded, so that nobody can choose addresses that share a set. */
static struct entry *set_of(const unsigned char *mac)
{
	unsigned long long hash = hub.seed;
	int i;

	for (i = 0; i < ETH_ALEN; i++)
		hash = (hash ^ mac[i]) * 0x9e3779b97f4a7c15ULL;
	return hub.table[(hash >> 32) % SETS];
}

static bool is_port(unsigned int number)
{
	return hub.ports[number].peer || hub.ports[number].fd >= 0;
}

static bool is_fresh(const struct entry *entry)
{
	return memcmp(entry->mac, no_mac, ETH_ALEN) &&
		hub.now - entry->seen < hub.age && is_port(entry->port);
}

static void learn(const unsigned char *mac, unsigned int port)
{
	struct entry *set = set_of(mac), *oldest = set;
	int i;

	for (i = 0; i < WAYS; i++) {
		if (!memcmp(set[i].mac, mac, ETH_ALEN)) {
			hub.moved += is_fresh(&set[i]) && set[i].port != port;
			oldest = &set[i];
			break;
		}
		if (!is_fresh(oldest))
			continue;
		if (!is_fresh(&set[i]) || set[i].seen < oldest->seen)
			oldest = &set[i];
	}
	memcpy(oldest->mac, mac, ETH_ALEN);
	oldest->port = port;
	oldest->seen = hub.now;
}

/* The port behind which it lives, or NULL. */
static struct port *look_up(const unsigned char *mac)
{
	struct entry *set = set_of(mac);
	int i;

	for (i = 0; i < WAYS; i++) {
		if (!memcmp(set[i].mac, mac, ETH_ALEN) && is_fresh(&set[i]))
			return &hub.ports[set[i].port];
	}
	return NULL;
}

/* ------------------------------------------------------------- sending */

static void device_gone(struct port *port, int error)
{
	warnx("%s: %s", port->text, vnic_strerror(VNIC_CALL_RECV, error));
	close(port->fd);
	port->fd = -1;
	hub.devices--;
}

static void sent(struct port *port, const struct vnic_packet *packet, bool ok)
{
	if (ok) {
		port->tx_packets++;
		port->tx_bytes += packet->len;
	} else {
		port->tx_dropped++;
	}
}

static void send_to_device(struct port *port)
{
	int i, taken;

	taken = vnic_send(port->fd, port->out, port->out_count, 0);
	for (i = 0; i < (int)port->out_count; i++)
		sent(port, &port->out[i], i < taken && !port->out[i].result);
	if (taken == -EBADFD)
		device_gone(port, taken);
}

/* A datagram that fails, fails alone. */
static void send_to_peer(struct port *port)
{
	struct mmsghdr messages[BATCH];
	struct iovec data[BATCH];
	int i, taken, done = 0, count = port->out_count;

	memset(messages, 0, sizeof(messages));
	for (i = 0; i < count; i++) {
		data[i].iov_base = vnic_packet_data(&port->out[i]);
		data[i].iov_len = port->out[i].len;
		messages[i].msg_hdr.msg_iov = &data[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_hdr.msg_name = &port->address;
		messages[i].msg_hdr.msg_namelen = hub.address_size;
	}
	while (done < count) {
		taken = sendmmsg(hub.udp_fd, &messages[done], count - done,
				 MSG_DONTWAIT);
		for (i = 0; i < taken; i++)
			sent(port, &port->out[done++], true);
		if (taken <= 0)
			sent(port, &port->out[done++], false);
	}
}

static void flush(void)
{
	struct port *port;
	unsigned int i;

	for (i = 0; i < hub.port_count; i++) {
		port = &hub.ports[i];
		if (!port->out_count)
			continue;
		if (port->peer)
			send_to_peer(port);
		else if (port->fd >= 0)
			send_to_device(port);
		port->out_count = 0;
	}
}

/* ----------------------------------------------------------- forwarding */

/* No round has more than BATCH frames, and a frame is put on a list once. */
static void put(struct port *port, const void *data, unsigned int len)
{
	vnic_packet_set(&port->out[port->out_count++], data, len);
}

static void flood(const struct port *from, const void *data, unsigned int len)
{
	struct port *port;

	for (port = hub.ports; port < hub.ports + hub.port_count; port++) {
		if (port != from && (port->peer || port->fd >= 0))
			put(port, data, len);
	}
}

/* Never sends a frame back where it came from. False if it is none. */
static bool forward_frame(struct port *from, const unsigned char *frame,
			  unsigned int len)
{
	const unsigned char *to = frame, *source = frame + ETH_ALEN;
	struct port *port;

	if (len < ETH_HLEN || (source[0] & 1) ||
	    !memcmp(source, no_mac, ETH_ALEN))
		return false;
	learn(source, from - hub.ports);
	port = to[0] & 1 ? NULL : look_up(to);
	if (!port) {
		hub.flooded++;
		flood(from, frame, len);
	} else if (port == from) {
		hub.local++;
	} else {
		put(port, frame, len);
	}
	return true;
}

static bool forward_packet(struct port *from, const unsigned char *packet,
			   unsigned int len)
{
	unsigned int version = len ? packet[0] >> 4 : 0;

	if (!(version == 4 && len >= IPV4_MIN) &&
	    !(version == 6 && len >= IPV6_MIN))
		return false;
	flood(from, packet, len);
	return true;
}

static void forward(struct port *from, const unsigned char *data,
		    unsigned int len)
{
	from->rx_packets++;
	from->rx_bytes += len;
	if (!(hub.tap ? forward_frame(from, data, len) :
	      forward_packet(from, data, len)))
		from->rx_bad++;
}

/* ------------------------------------------------------------ receiving */

static void receive_from_device(struct port *port, unsigned int events)
{
	struct vnic_packet *packet;
	int i, count;

	vnic_packets_reset(hub.packets, BATCH, FRAME_MAX);
	count = vnic_recv(port->fd, hub.packets, BATCH, 0);
	/* Without a device there is an error to poll for, always. */
	if (count < 0 && (count != -EAGAIN || (events & EPOLLERR)) &&
	    count != -EINTR) {
		device_gone(port, count == -EAGAIN ? -EBADFD : count);
		return;
	}
	for (i = 0; i < count; i++) {
		packet = &hub.packets[i];
		if (packet->result || (packet->flags & VNIC_PACKET_TRUNC))
			port->rx_bad++;
		else
			forward(port, vnic_packet_data(packet), packet->len);
	}
	flush();
}

static bool same_address(const struct sockaddr_storage *one,
			 const struct sockaddr_storage *other)
{
	const struct sockaddr_in6 *a6 = (const void *)one;
	const struct sockaddr_in6 *b6 = (const void *)other;
	const struct sockaddr_in *a = (const void *)one;
	const struct sockaddr_in *b = (const void *)other;

	if (one->ss_family != other->ss_family)
		return false;
	if (one->ss_family == AF_INET6)
		return a6->sin6_port == b6->sin6_port &&
			a6->sin6_scope_id == b6->sin6_scope_id &&
			!memcmp(&a6->sin6_addr, &b6->sin6_addr,
				sizeof(a6->sin6_addr));
	return a->sin_port == b->sin_port &&
		a->sin_addr.s_addr == b->sin_addr.s_addr;
}

static void name_peer(struct port *port)
{
	char host[INET6_ADDRSTRLEN + 32] = "?", service[8] = "?";

	(void)getnameinfo((const void *)&port->address, hub.address_size, host,
			  sizeof(host), service, sizeof(service),
			  NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(port->text, sizeof(port->text),
		 strchr(host, ':') ? "udp:[%s]:%s" : "udp:%s:%s", host,
		 service);
}

/* A sender that nobody has named takes an unused port, or that of another. */
static struct port *learn_peer(const struct sockaddr_storage *address)
{
	struct port *port, *place = NULL;

	if (hub.port_count < hub.port_room) {
		place = &hub.ports[hub.port_count++];
	} else {
		for (port = hub.ports; port < hub.ports + hub.port_count;
		     port++) {
			if (port->learned && hub.now - port->heard >= hub.age)
				place = port;
		}
	}
	if (!place)
		return NULL;
	memset(place, 0, sizeof(*place));
	place->fd = -1;
	place->peer = true;
	place->learned = true;
	place->address = *address;
	name_peer(place);
	warnx("%s has come", place->text);
	return place;
}

/* Who has sent this? NULL for a stranger. */
static struct port *peer_of(const struct sockaddr_storage *address)
{
	struct port *port;

	for (port = hub.ports; port < hub.ports + hub.port_count; port++) {
		if (port->peer && same_address(&port->address, address))
			return port;
	}
	return hub.learn ? learn_peer(address) : NULL;
}

static void receive_from_peers(void)
{
	static struct sockaddr_storage from[BATCH];
	struct mmsghdr messages[BATCH];
	struct iovec data[BATCH];
	struct port *port;
	int i, count;

	memset(messages, 0, sizeof(messages));
	memset(from, 0, sizeof(from));
	for (i = 0; i < BATCH; i++) {
		data[i].iov_base = vnic_packet_data(&hub.packets[i]);
		data[i].iov_len = FRAME_MAX;
		messages[i].msg_hdr.msg_iov = &data[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_hdr.msg_name = &from[i];
		messages[i].msg_hdr.msg_namelen = sizeof(from[i]);
	}
	count = recvmmsg(hub.udp_fd, messages, BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < count; i++) {
		port = peer_of(&from[i]);
		if (!port) {
			hub.strangers++;
			continue;
		}
		port->heard = hub.now;
		/* Nothing in it: it is there to keep a path open. */
		if (messages[i].msg_len)
			forward(port, data[i].iov_base, messages[i].msg_len);
	}
	flush();
}

static void keep_alive(void)
{
	unsigned long long ticks;
	struct port *port;

	if (read(hub.timer_fd, &ticks, sizeof(ticks)) < 0)
		return;
	for (port = hub.ports; port < hub.ports + hub.port_count; port++) {
		if (port->peer && !port->learned)
			(void)sendto(hub.udp_fd, "", 0, MSG_DONTWAIT,
				     (const void *)&port->address,
				     hub.address_size);
	}
}

/* ------------------------------------------------------------- setting up */

static void watch(int fd, void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	if (epoll_ctl(hub.poll_fd, EPOLL_CTL_ADD, fd, &event))
		err(EXIT_FAILURE, "epoll");
}

static void set_mtu(const struct port *port, const char *name)
{
	int sock = vnic_socket(port->fd);
	struct ifreq ifr;

	if (sock < 0)
		errx(EXIT_FAILURE, "%s: MTU: %s", port->text,
		     vnic_strerror(VNIC_CALL_OTHER, sock));
	memset(&ifr, 0, sizeof(ifr));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_mtu = hub.mtu;
	if (ioctl(sock, SIOCSIFMTU, &ifr))
		err(EXIT_FAILURE, "%s: MTU %u", port->text, hub.mtu);
	close(sock);
}

/* NAME[@NETNS] */
static void open_device(struct port *port, const char *text)
{
	unsigned int flags = hub.tap ? IFF_TAP : IFF_TUN;
	int result, length = strcspn(text, "@");
	char name[VNIC_NAME_SIZE];

	if (!length || length >= VNIC_NAME_SIZE)
		errx(EXIT_FAILURE,
		     "%s: a device has a name of 1 to 15 letters", port->text);
	snprintf(name, sizeof(name), "%.*s", length, text);
	port->fd = vnic_open(text[length] ? text + length + 1 : NULL,
			     O_NONBLOCK);
	if (port->fd < 0)
		errx(EXIT_FAILURE, "%s: %s", port->text,
		     vnic_strerror(VNIC_CALL_OPEN, port->fd));
	result = vnic_attach(port->fd, name, flags);
	/* A device that was made for many queues wants to be asked for one. */
	if (result == -EINVAL)
		result = vnic_attach(port->fd, name, flags | IFF_MULTI_QUEUE);
	if (result)
		errx(EXIT_FAILURE, "%s: %s", port->text,
		     vnic_strerror(VNIC_CALL_ATTACH, result));
	if (hub.mtu)
		set_mtu(port, name);
	result = vnic_up(port->fd);
	if (result)
		warnx("%s is left as it is: %s; type: ip link set %s up",
		      port->text, vnic_strerror(VNIC_CALL_OTHER, result), name);
	watch(port->fd, port);
	hub.devices++;
}

/* HOST:PORT or [HOST]:PORT; the first one decides between IPv4 and IPv6. */
static void resolve(const char *text, struct sockaddr_storage *address,
		    bool passive)
{
	struct addrinfo hints = {
		.ai_family = hub.family,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = passive ? AI_PASSIVE : 0,
	};
	struct addrinfo *found;
	char host[256];
	const char *colon = strrchr(text, ':');
	int result, length = colon ? colon - text : 0;

	if (!colon || length >= (int)sizeof(host))
		errx(EXIT_FAILURE,
		     "%s: give ADDRESS:PORT, or [ADDRESS]:PORT for IPv6", text);
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']')
		snprintf(host, sizeof(host), "%.*s", length - 2, text + 1);
	else
		snprintf(host, sizeof(host), "%.*s", length, text);
	result = getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &found);
	if (result)
		errx(EXIT_FAILURE, "%s: %s", text, gai_strerror(result));
	memset(address, 0, sizeof(*address));
	memcpy(address, found->ai_addr, found->ai_addrlen);
	hub.family = found->ai_family;
	hub.address_size = found->ai_addrlen;
	freeaddrinfo(found);
}

static void open_udp(const struct sockaddr_storage *address)
{
	int size = 4 << 20;

	hub.udp_fd = socket(hub.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (hub.udp_fd < 0 ||
	    (address->ss_family &&
	     bind(hub.udp_fd, (const void *)address, hub.address_size)))
		err(EXIT_FAILURE, "UDP %s",
		    hub.bind_text ? hub.bind_text : "socket");
	/* As large as this user may have it. */
	if (setsockopt(hub.udp_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)))
		(void)setsockopt(hub.udp_fd, SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof(size));
	watch(hub.udp_fd, &hub.udp_fd);
}

static void open_timer(void)
{
	struct itimerspec every = {
		.it_interval.tv_sec = hub.keepalive,
		.it_value.tv_nsec = 1,
	};

	hub.timer_fd = timerfd_create(CLOCK_MONOTONIC,
				      TFD_CLOEXEC | TFD_NONBLOCK);
	if (hub.timer_fd < 0 || timerfd_settime(hub.timer_fd, 0, &every, NULL))
		err(EXIT_FAILURE, "timer");
	watch(hub.timer_fd, &hub.timer_fd);
}

static void open_ports(char **texts, unsigned int count)
{
	struct sockaddr_storage address;
	unsigned int i, peers = 0;
	struct port *port;

	memset(&address, 0, sizeof(address));
	if (hub.bind_text)
		resolve(hub.bind_text, &address, true);
	for (i = 0; i < count; i++) {
		port = &hub.ports[hub.port_count++];
		port->fd = -1;
		snprintf(port->text, sizeof(port->text), "%s", texts[i]);
		if (!strncmp(texts[i], "udp:", 4)) {
			port->peer = true;
			resolve(texts[i] + 4, &port->address, false);
			peers++;
		} else {
			open_device(port, texts[i] + 4);
		}
	}
	if (peers || hub.bind_text)
		open_udp(&address);
	if (peers && hub.keepalive)
		open_timer();
}

static void open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	hub.signal_fd = -1;
	if (!sigprocmask(SIG_BLOCK, &set, NULL))
		hub.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (hub.signal_fd < 0)
		err(EXIT_FAILURE, "signals");
	watch(hub.signal_fd, &hub.signal_fd);
}

/* Everything is open: nothing of what root may do is needed any more. */
static void give_up_privileges(const struct passwd *user)
{
	if (user && (setgroups(0, NULL) || setgid(user->pw_gid) ||
		     setuid(user->pw_uid)))
		err(EXIT_FAILURE, "cannot become %s", hub.user);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err(EXIT_FAILURE, "prctl");
}

/* -------------------------------------------------------------- running */

static void report(void)
{
	const struct port *port;
	unsigned int known = 0;
	int i;

	for (port = hub.ports; port < hub.ports + hub.port_count; port++) {
		printf("%s rx_packets=%llu rx_bytes=%llu rx_bad=%llu",
		       port->text, port->rx_packets, port->rx_bytes,
		       port->rx_bad);
		printf(" tx_packets=%llu tx_bytes=%llu tx_dropped=%llu\n",
		       port->tx_packets, port->tx_bytes, port->tx_dropped);
	}
	for (i = 0; i < SETS * WAYS; i++)
		known += is_fresh(&hub.table[i / WAYS][i % WAYS]);
	printf("hub addresses=%u moved=%llu flooded=%llu local=%llu", known,
	       hub.moved, hub.flooded, hub.local);
	printf(" strangers=%llu\n", hub.strangers);
	fflush(stdout);
}

/* True if it is one to end by. */
static bool take_signal(void)
{
	struct signalfd_siginfo info;

	if (read(hub.signal_fd, &info, sizeof(info)) != sizeof(info))
		return false;
	if (info.ssi_signo != SIGUSR1)
		return true;
	report();
	return false;
}

/* Returns when it was told to end, or when there is no device any more. */
static bool run(void)
{
	struct epoll_event events[16];
	struct port *port;
	int i, count;

	while (hub.devices) {
		count = epoll_wait(hub.poll_fd, events, 16, -1);
		hub.now = seconds();
		for (i = 0; i < count; i++) {
			port = events[i].data.ptr;
			if (events[i].data.ptr == &hub.signal_fd) {
				if (take_signal())
					return true;
			} else if (events[i].data.ptr == &hub.udp_fd) {
				receive_from_peers();
			} else if (events[i].data.ptr == &hub.timer_fd) {
				keep_alive();
			} else if (port->fd >= 0) {
				receive_from_device(port, events[i].events);
			}
		}
	}
	warnx("no device is left");
	return false;
}

static const char usage[] =
	"usage: vnic-hub [OPTION]... PORT PORT...\n"
	"Join devices and UDP peers into one switch (tap) or link (tun).\n"
	"\n"
	"PORT is one of\n"
	"  tap:NAME[@NETNS]         a vntap, made if it is not there\n"
	"  tun:NAME[@NETNS]         a vntun; there are either these or taps\n"
	"  udp:ADDRESS:PORT         another vnic-hub; [ADDRESS] for IPv6\n"
	"\n"
	"  -b, --bind ADDRESS:PORT  own end of UDP\n"
	"  -l, --learn N            take up to N peers that were not named\n"
	"  -k, --keepalive SECONDS  send named peers something this often\n"
	"  -a, --age SECONDS        forget who has been silent (300)\n"
	"  -m, --mtu BYTES          of the devices\n"
	"  -u, --user NAME          become this user once all is open\n"
	"  -h, --help               this\n"
	"  -V, --version            which one this is\n"
	"\n"
	"SIGUSR1 prints counters. Nothing is encrypted: see vnic-hub(1).\n";

static unsigned int in_range(const char *what, const char *text,
			     unsigned int least, unsigned int most)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9' || value < least ||
	    value > most) {
		warnx("--%s %s: give a number from %u to %u", what, text, least,
		      most);
		exit(EXIT_USAGE);
	}
	return value;
}

static void options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "bind", required_argument, NULL, 'b' },
		{ "learn", required_argument, NULL, 'l' },
		{ "keepalive", required_argument, NULL, 'k' },
		{ "age", required_argument, NULL, 'a' },
		{ "mtu", required_argument, NULL, 'm' },
		{ "user", required_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "b:l:k:a:m:u:hV", longs,
				     NULL)) != -1) {
		switch (letter) {
		case 'b':
			hub.bind_text = optarg;
			break;
		case 'l':
			hub.learn = in_range("learn", optarg, 0, PORTS_MAX);
			break;
		case 'k':
			hub.keepalive = in_range("keepalive", optarg, 1, 86400);
			break;
		case 'a':
			hub.age = in_range("age", optarg, 1, 86400);
			break;
		case 'm':
			hub.mtu = in_range("mtu", optarg, 68, 65535);
			break;
		case 'u':
			hub.user = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		case 'V':
			printf("vnic-hub %s\n", LIBVNIC_VERSION);
			exit(EXIT_SUCCESS);
		default:
			exit(EXIT_USAGE);
		}
	}
}

/* Devices of one kind, and two ports at least, counting those to come. */
static void check_ports(char **texts, unsigned int count)
{
	unsigned int i, taps = 0, tuns = 0, peers = 0;
	const char *problem = NULL;

	for (i = 0; i < count && !problem; i++) {
		if (!strncmp(texts[i], "tap:", 4))
			taps++;
		else if (!strncmp(texts[i], "tun:", 4))
			tuns++;
		else if (!strncmp(texts[i], "udp:", 4))
			peers++;
		else
			problem = "a port begins with tap:, tun: or udp:";
	}
	if (problem)
		warnx("%s is no port", texts[i - 1]);
	else if (taps && tuns)
		problem = "taps and tuns cannot be joined";
	else if (!taps && !tuns)
		problem = "name a device at least: tap:NAME or tun:NAME";
	else if (count + hub.learn < 2)
		problem = "name two ports at least, or --learn peers";
	else if (hub.learn && !hub.bind_text)
		problem = "--learn needs --bind: where shall they send to?";
	else if (count > PORTS_MAX)
		problem = "that is too many ports";
	if (problem) {
		warnx("%s; try vnic-hub --help", problem);
		exit(EXIT_USAGE);
	}
	hub.tap = taps;
}

int main(int argc, char **argv)
{
	struct passwd *user = NULL;
	bool well;

	options(argc, argv);
	argc -= optind;
	argv += optind;
	check_ports(argv, argc);
	if (hub.user) {
		user = getpwnam(hub.user);
		if (!user)
			errx(EXIT_FAILURE, "there is no user %s", hub.user);
	}

	hub.now = seconds();
	hub.port_room = argc + hub.learn;
	hub.ports = calloc(hub.port_room, sizeof(*hub.ports));
	hub.packets = vnic_packets_new(BATCH, FRAME_MAX);
	if (!hub.ports || !hub.packets)
		errx(EXIT_FAILURE, "not enough memory");
	if (getrandom(&hub.seed, sizeof(hub.seed), 0) != sizeof(hub.seed))
		err(EXIT_FAILURE, "getrandom");
	hub.poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (hub.poll_fd < 0)
		err(EXIT_FAILURE, "epoll");

	open_signals();
	open_ports(argv, argc);
	give_up_privileges(user);
	printf("vnic-hub: %d ports\n", argc);
	fflush(stdout);

	well = run();
	report();
	/* Closing the files, the kernel undoes everything. */
	return well ? EXIT_SUCCESS : EXIT_FAILURE;
}
