// SPDX-License-Identifier: GPL-2.0
/*
 * machine - the card of a virtual machine that vhost-net serves, joined with a device
 *
 *   machine FD VHOSTFD DEVICE_FD
 *
 * All are inherited: a socket that vhost-net takes as back end, a file of
 * /dev/vhost-net, and that of a tap. What comes out of one end goes into the other:
 *
 *   FD <-- vhost-net --> virtqueues <-- this --> DEVICE_FD
 *
 * As QEMU does, it asks FD whether its packets have virtio headers; if not, vhost-net
 * makes them.
 */
#include "helper.h"
#include "vhost.h"

#include <linux/if.h>
#include <linux/if_tun.h>

static void start(struct card *card, int sock, int vhost)
{
	struct ifreq ifr = {};
	int header = 12;
	bool own;

	if (ioctl(sock, TUNGETIFF, &ifr))
		die("TUNGETIFF");
	own = !(ifr.ifr_flags & IFF_VNET_HDR);
	if (!own && ioctl(sock, TUNSETVNETHDRSZ, &header))
		die("TUNSETVNETHDRSZ");
	errno = -card_begin(card, vhost, V1 | (own ? OWN : 0));
	if (errno)
		die("vhost-net");
	errno = -card_backend(card, sock);
	if (errno)
		die("VHOST_NET_SET_BACKEND");
	card_offer(card);
}

static void to_device(struct card *card, int device)
{
	struct area *area = card->area[RX];
	struct vring_used_elem elem;
	int len;

	while (card_has_used(card, RX)) {
		elem = area->used.ring[card->seen[RX]++ % ENTRIES];
		len = elem.len - card->header;
		if (write(device, area->buffer[elem.id] + card->header, len) !=
		    len)
			die("write");
		card_publish(card, RX, elem.id);
		card_kick(card, RX);
	}
}

/* As long as there is a descriptor that vhost is through with */
static void to_vhost(struct card *card, int device)
{
	struct area *area = card->area[TX];
	__u16 sent = area->avail.idx, used, i;
	int len;

	for (;; sent++) {
		used = __atomic_load_n(&area->used.idx, __ATOMIC_ACQUIRE);
		if ((__u16)(sent - used) >= ENTRIES)
			return;
		/* Each has one descriptor, so they come back in their order. */
		i = sent % ENTRIES;
		memset(area->buffer[i], 0, card->header);
		len = read(device, area->buffer[i] + card->header,
			   BUFFER - card->header);
		if (len < 0 && errno == EAGAIN)
			return;
		if (len < 0)
			die("read");
		area->desc[i] = (struct vring_desc) {
			.addr = (unsigned long)area->buffer[i],
			.len = card->header + len,
		};
		card_publish(card, TX, i);
		card_kick(card, TX);
	}
}

int main(int argc, char **argv)
{
	struct pollfd polls[3] = {};
	struct card card;
	eventfd_t calls;
	int device, i;

	if (argc != 4) {
		fprintf(stderr, "usage: machine FD VHOSTFD DEVICE_FD\n");
		return 2;
	}
	device = atoi(argv[3]);
	if (fcntl(device, F_SETFL, O_NONBLOCK))
		die("DEVICE_FD");
	start(&card, atoi(argv[1]), atoi(argv[2]));
	polls[0] = (struct pollfd) { card.call[RX], POLLIN };
	polls[1] = (struct pollfd) { card.call[TX], POLLIN };
	polls[2] = (struct pollfd) { device, POLLIN };
	puts("at work");
	fflush(stdout);
	for (;;) {
		if (poll(polls, 3, -1) < 0)
			die("poll");
		for (i = 0; i < 2; i++)
			if (polls[i].revents)
				eventfd_read(polls[i].fd, &calls);
		to_device(&card, device);
		to_vhost(&card, device);
	}
}
