/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual machine's network card without the machine: its two virtqueues
 * (virtio 1.2, section 2.7) in memory of this process, which vhost-net serves.
 */
#ifndef VHOST_H
#define VHOST_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#define ENTRIES		64		/* of a virtqueue */
#define BUFFER		2048		/* of each descriptor */

/* A virtqueue as it lies in memory, with a buffer for each descriptor */
struct area {
	struct vring_desc desc[ENTRIES];
	struct {
		__u16 flags, idx, ring[ENTRIES], event;
	} avail;
	struct {
		__u16 flags, idx;
		struct vring_used_elem ring[ENTRIES];
		__u16 event;
	} used;
	unsigned char buffer[ENTRIES][BUFFER];
};

/* Features of such a card, and one of vhost's own */
#define BIT(n)		(1ULL << (n))
#define V1		BIT(VIRTIO_F_VERSION_1)
#define MERGED		BIT(VIRTIO_NET_F_MRG_RXBUF)
#define OWN		BIT(VHOST_NET_F_VIRTIO_NET_HDR)

enum { RX, TX };

/* A card: what the machine knows of it, and vhost's file */
struct card {
	int vhost;
	int header;			/* bytes in front of a frame */
	int kick[2], call[2];
	__u16 seen[2];			/* of used.idx */
	__u16 next;			/* descriptor for TX */
	struct area *area[2];
};

static inline int card_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

static inline int card_queue(struct card *card, int i)
{
	struct area *area = card->area[i];
	struct vhost_vring_state num = { i, ENTRIES }, base = { i, 0 };
	struct vhost_vring_addr addr = {
		.index = i,
		.desc_user_addr = (unsigned long)area->desc,
		.avail_user_addr = (unsigned long)&area->avail,
		.used_user_addr = (unsigned long)&area->used,
	};
	struct vhost_vring_file kick, call;

	card->kick[i] = eventfd(0, EFD_CLOEXEC);
	card->call[i] = eventfd(0, EFD_CLOEXEC);
	kick = (struct vhost_vring_file) { i, card->kick[i] };
	call = (struct vhost_vring_file) { i, card->call[i] };
	return card_ioctl(card->vhost, VHOST_SET_VRING_NUM, &num) ?:
	       card_ioctl(card->vhost, VHOST_SET_VRING_BASE, &base) ?:
	       card_ioctl(card->vhost, VHOST_SET_VRING_ADDR, &addr) ?:
	       card_ioctl(card->vhost, VHOST_SET_VRING_KICK, &kick) ?:
	       card_ioctl(card->vhost, VHOST_SET_VRING_CALL, &call);
}

static inline int card_backend(struct card *card, int sock)
{
	struct vhost_vring_file rx = { RX, sock }, tx = { TX, sock };

	return card_ioctl(card->vhost, VHOST_NET_SET_BACKEND, &rx) ?:
	       card_ioctl(card->vhost, VHOST_NET_SET_BACKEND, &tx);
}

/* With a file of vhost's. The machine's memory is at the same addresses as ours. */
static inline int card_begin(struct card *card, int vhost, __u64 features)
{
	size_t size = 2 * sizeof(struct area);
	struct {
		struct vhost_memory head;
		struct vhost_memory_region region;
	} memory = { .head.nregions = 1 };
	unsigned char *base;
	__u64 offered;
	int result;

	memset(card, 0, sizeof(*card));
	card->vhost = vhost;
	base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return -errno;
	card->area[RX] = (void *)base;
	card->area[TX] = card->area[RX] + 1;
	memory.region = (struct vhost_memory_region) {
		.guest_phys_addr = (unsigned long)base, .memory_size = size,
		.userspace_addr = (unsigned long)base,
	};
	result = card_ioctl(card->vhost, VHOST_SET_OWNER, NULL) ?:
		 card_ioctl(card->vhost, VHOST_GET_FEATURES, &offered);
	if (result)
		return result;
	if (features & ~offered)
		return -EOPNOTSUPP;
	card->header = features & (V1 | MERGED) ? 12 : 10;
	return card_ioctl(card->vhost, VHOST_SET_FEATURES, &features) ?:
	       card_ioctl(card->vhost, VHOST_SET_MEM_TABLE, &memory) ?:
	       card_queue(card, RX) ?: card_queue(card, TX);
}

static inline int card_start(struct card *card, __u64 features)
{
	int vhost = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);

	return vhost < 0 ? -errno : card_begin(card, vhost, features);
}

static inline void card_stop(struct card *card)
{
	int i;

	close(card->vhost);
	for (i = 0; i < 2; i++) {
		close(card->kick[i]);
		close(card->call[i]);
	}
	munmap(card->area[RX], 2 * sizeof(struct area));
}

static inline void card_publish(struct card *card, int i, __u16 head)
{
	struct area *area = card->area[i];
	__u16 idx = area->avail.idx;

	area->avail.ring[idx % ENTRIES] = head;
	__atomic_store_n(&area->avail.idx, idx + 1, __ATOMIC_RELEASE);
}

static inline void card_kick(struct card *card, int i)
{
	eventfd_write(card->kick[i], 1);
}

static inline bool card_has_used(struct card *card, int i)
{
	return __atomic_load_n(&card->area[i]->used.idx, __ATOMIC_ACQUIRE) !=
	       card->seen[i];
}

/* Gives vhost all buffers, one descriptor each. */
static inline void card_offer(struct card *card)
{
	struct area *area = card->area[RX];
	int i;

	for (i = 0; i < ENTRIES; i++) {
		area->desc[i] = (struct vring_desc) {
			.addr = (unsigned long)area->buffer[i], .len = BUFFER,
			.flags = VRING_DESC_F_WRITE,
		};
		card_publish(card, RX, i);
	}
	card_kick(card, RX);
}

#endif
