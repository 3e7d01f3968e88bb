// SPDX-License-Identifier: GPL-2.0
/*
 * vhost-net with a tap as back end: tun's file, and the socket of ours.
 *
 *	this process --> virtqueue --> vhost --> stack --> socket, or nobody
 *	this process <-- virtqueue <-- vhost <-- device <-- socket
 *
 * Counted is all of it, with what it takes to wake vhost and to be woken by it
 * for each chunk.
 */
#include "bench.h"

#include "../../selftests/vhost.h"
#include "libvnic.h"

/* Frames of a chunk, each in one descriptor behind its header */
#define CHAIN		ENTRIES

struct machine {
	struct card	card;
	int		file;		/* ours: /dev/vnic */
};

/* As QEMU does it; the socket has the place of the file. */
static void back_end(struct run *run)
{
	struct machine *machine = allocate(sizeof(*machine));
	int header, sock;

	free(run->data);
	run->data = machine;
	if (card_start(&machine->card, BIT(VIRTIO_F_VERSION_1)))
		die("/dev/vhost-net");
	header = machine->card.header;
	if (ioctl(run->fd, TUNSETVNETHDRSZ, &header))
		die("TUNSETVNETHDRSZ");
	machine->file = -1;
	if (run->side == OURS) {
		sock = ioctl(run->fd, VNIC_IOC_SOCKET, O_CLOEXEC);
		if (sock < 0)
			die("VNIC_IOC_SOCKET");
		machine->file = run->fd;
		run->fd = sock;
	}
	if (card_backend(&machine->card, run->fd))
		die("VHOST_NET_SET_BACKEND");
}

static void send_open(struct run *run)
{
	struct area *area;
	struct card *card;
	int i;

	tap_open(run);
	back_end(run);
	card = &((struct machine *)run->data)->card;
	area = card->area[TX];
	for (i = 0; i < CHAIN; i++) {
		memset(area->buffer[i], 0, card->header);
		memcpy(area->buffer[i] + card->header, run->frame, run->len);
		area->desc[i] = (struct vring_desc) {
			.addr = (uintptr_t)area->buffer[i],
			.len = card->header + run->len,
		};
	}
}

/*
 * Sent by a socket: while the generator makes its packets vhost would have time
 * that nobody counts.
 */
static void recv_open(struct run *run)
{
	tap_open_read(run);
	udp_connect(run, run->sock, 2);
	back_end(run);
	card_offer(&((struct machine *)run->data)->card);
}

/* Sleeps until vhost is through with so many more. */
static void wait_used(struct card *card, int i, unsigned int count)
{
	__u16 end = card->seen[i] + count;
	eventfd_t calls;

	while (__atomic_load_n(&card->area[i]->used.idx, __ATOMIC_ACQUIRE) !=
	       end)
		if (eventfd_read(card->call[i], &calls))
			die("eventfd");
	card->seen[i] = end;
}

static void send_round(struct run *run)
{
	struct card *card = &((struct machine *)run->data)->card;
	struct arrivals before;
	unsigned int i, j;

	for (i = 0; i < run->work->count; i += CHAIN) {
		before = arrivals_now(near_ns, run->index);
		clock_start(run);
		for (j = 0; j < CHAIN; j++)
			card_publish(card, TX, j);
		card_kick(card, TX);
		wait_used(card, TX, CHAIN);
		clock_stop(run);
		arrivals_check(run, near_ns, run->index, run->sock, before,
			       CHAIN);
	}
}

static void recv_round(struct run *run)
{
	struct card *card = &((struct machine *)run->data)->card;
	unsigned int i, j, data = run->len - ETH_HLEN - 20 - 8;
	struct area *area = card->area[RX];
	char buffer[BUFFER] = {};
	__u16 first;

	for (i = 0; i < run->work->count; i += CHAIN) {
		first = card->seen[RX];
		clock_start(run);
		for (j = 0; j < CHAIN; j++)
			if (send(run->sock, buffer, data, 0) != data)
				die("send");
		wait_used(card, RX, CHAIN);
		for (j = 0; j < CHAIN; j++)
			card_publish(card, RX,
				     area->used.ring[(first + j) %
						     ENTRIES].id);
		card_kick(card, RX);
		clock_stop(run);
		for (j = 0; j < CHAIN; j++)
			if (area->used.ring[j].len != card->header + run->len)
				give_up("%s: a frame of another length",
					run->dev);
	}
}

static void vhost_close(struct run *run)
{
	struct machine *machine = run->data;

	card_stop(&machine->card);
	if (machine->file >= 0)
		close(machine->file);
	tap_close(run);
}

#define VHOST(n, s, to, o, r) {						\
	.name = n, .count = 1024, .open = o, .round = r,		\
	.close = vhost_close, .size = s, .sink = to, .mode = WITH_VNET }

const struct workload vhost_workloads[] = {
	VHOST("vhost-send-60-drop", SMALL, SINK_DROP, send_open, send_round),
	VHOST("vhost-send-60-udp", SMALL, SINK_UDP, send_open, send_round),
	VHOST("vhost-send-1514-udp", LARGE, SINK_UDP, send_open, send_round),
	VHOST("vhost-recv-60", SMALL, SINK_UDP, recv_open, recv_round),
	VHOST("vhost-recv-1514", LARGE, SINK_UDP, recv_open, recv_round),
	{ }
};
