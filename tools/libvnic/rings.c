// SPDX-License-Identifier: GPL-2.0
/*
 * rings - see rings.h, and struct vnic_ring_head in <linux/vnic.h>.
 *
 * Which file has rings is in a table, so that a program that turns them on goes
 * on to call what it has called before. How far the program has come stands in
 * the shared memory alone: what a child does after a fork, its parent sees.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "rings.h"

/* The table has two floors: few programs have many files. */
#define FLOOR		1024

/* No frame takes less, and any fits into half a ring. */
#define LEAST		(2 * VNIC_FRAME_ALIGN)

struct rings {
	struct vnic_ring_head	*head;
	unsigned char		*recv, *send;
	__u32			recv_size, send_size;
	size_t			map_size;
	pthread_mutex_t		recv_lock, send_lock;
};

struct floor {
	struct rings	*rings[FLOOR];
};

static struct floor *table[FLOOR];

struct rings *rings_of(int fd)
{
	struct floor *floor;

	if (fd < 0 || fd >= FLOOR * FLOOR)
		return NULL;
	floor = __atomic_load_n(&table[fd / FLOOR], __ATOMIC_ACQUIRE);
	return floor ? __atomic_load_n(&floor->rings[fd % FLOOR],
				       __ATOMIC_ACQUIRE) : NULL;
}

int rings_receive(const struct rings *rings)
{
	return !!rings->recv_size;
}

int rings_send(const struct rings *rings)
{
	return !!rings->send_size;
}

static int remember(int fd, struct rings *rings)
{
	struct floor *floor, *none = NULL;

	if (fd >= FLOOR * FLOOR)
		return -EMFILE;
	floor = __atomic_load_n(&table[fd / FLOOR], __ATOMIC_ACQUIRE);
	if (!floor) {
		floor = calloc(1, sizeof(*floor));
		if (!floor)
			return -ENOMEM;
		/* Another thread may have been quicker. */
		if (!__atomic_compare_exchange_n(&table[fd / FLOOR], &none,
						 floor, 0, __ATOMIC_ACQ_REL,
						 __ATOMIC_ACQUIRE)) {
			free(floor);
			floor = none;
		}
	}
	__atomic_store_n(&floor->rings[fd % FLOOR], rings, __ATOMIC_RELEASE);
	return 0;
}

void rings_forget(int fd)
{
	struct rings *rings = rings_of(fd);

	if (!rings)
		return;
	remember(fd, NULL);
	munmap(rings->head, rings->map_size);
	pthread_mutex_destroy(&rings->recv_lock);
	pthread_mutex_destroy(&rings->send_lock);
	free(rings);
}

int vnic_rings(int fd, __u32 recv_size, __u32 send_size)
{
	struct vnic_ring_setup setup = {
		.recv_size = recv_size,
		.send_size = send_size,
	};
	struct rings *rings;
	int result;

	rings = calloc(1, sizeof(*rings));
	if (!rings)
		return -ENOMEM;
	result = ioctl(fd, VNIC_IOC_RING_SETUP, &setup) ? -errno : 0;
	if (!result) {
		rings->head = mmap(NULL, setup.map_size, PROT_READ | PROT_WRITE,
				   MAP_SHARED, fd, 0);
		if (rings->head == MAP_FAILED)
			result = -errno;
	}
	if (!result) {
		rings->map_size = setup.map_size;
		rings->recv = (unsigned char *)rings->head + setup.recv_offset;
		rings->send = (unsigned char *)rings->head + setup.send_offset;
		rings->recv_size = recv_size;
		rings->send_size = send_size;
		pthread_mutex_init(&rings->recv_lock, NULL);
		pthread_mutex_init(&rings->send_lock, NULL);
		result = remember(fd, rings);
		if (result)
			munmap(rings->head, setup.map_size);
	}
	if (result)
		free(rings);
	return result;
}

static __u32 acquire(const struct vnic_ring_index *index)
{
	return __atomic_load_n(&index->value, __ATOMIC_ACQUIRE);
}

static void release(struct vnic_ring_index *index, __u32 value)
{
	__atomic_store_n(&index->value, value, __ATOMIC_RELEASE);
}

static __u32 takes(__u32 len)
{
	return (sizeof(struct vnic_frame) + len + VNIC_FRAME_ALIGN - 1) /
	       VNIC_FRAME_ALIGN * VNIC_FRAME_ALIGN;
}

/* A frame that is there, into the caller's buffer. */
static void give(struct vnic_packet *packet, const struct vnic_frame *frame)
{
	packet->flags = frame->len > packet->len ? VNIC_PACKET_TRUNC : 0;
	memcpy((void *)(uintptr_t)packet->addr, frame + 1,
	       packet->flags ? packet->len : frame->len);
	packet->len = frame->len;
	packet->proto = frame->proto;
	packet->vnet = frame->vnet;
	packet->result = 0;
}

/* Returns how many were there. */
static unsigned int take(struct rings *rings, struct vnic_packet *packets,
			 unsigned int count)
{
	__u32 pos = rings->head->recv_cons.value, mask = rings->recv_size - 1;
	__u32 prod = acquire(&rings->head->recv_prod);
	const struct vnic_frame *frame;
	unsigned int done = 0;

	while (done < count && pos != prod) {
		frame = (const void *)(rings->recv + (pos & mask));
		if (frame->flags & VNIC_FRAME_PAD) {
			pos += rings->recv_size - (pos & mask);
			continue;
		}
		pos += takes(frame->len);
		give(&packets[done++], frame);
	}
	release(&rings->head->recv_cons, pos);
	return done;
}

/* Want to be woken once there may be @min. Returns whether that is so now. */
static int arm(struct rings *rings, unsigned int min)
{
	__u32 wait = (min - 1) * LEAST, event;

	if (wait > rings->recv_size / 2)
		wait = rings->recv_size / 2;
	event = rings->head->recv_cons.value + wait;
	__atomic_store_n(&rings->head->recv_event.value, event,
			 __ATOMIC_RELAXED);
	/* Either the kernel sees it, or we see what is there already. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return (__s32)(acquire(&rings->head->recv_prod) - event) > 0;
}

/*
 * Sleep until there may be @min more. Returns 0 or what has ended it: -EAGAIN if
 * the file is O_NONBLOCK.
 */
static int sleep_for(struct rings *rings, int fd, unsigned int min)
{
	if (arm(rings, min))
		return 0;
	return ioctl(fd, VNIC_IOC_RING_WAIT) ? -errno : 0;
}

int rings_recv_packets(struct rings *rings, int fd,
		       struct vnic_packet *packets, unsigned int count,
		       unsigned int min)
{
	unsigned int done = 0;
	int error = 0;

	if (count > VNIC_BATCH_MAX || min > count)
		return -EINVAL;
	pthread_mutex_lock(&rings->recv_lock);
	for (;;) {
		done += take(rings, packets + done, count - done);
		if (done == count || done >= min)
			break;
		error = sleep_for(rings, fd, min - done);
		if (error)
			break;
	}
	/* It may poll() next. */
	if (!done)
		arm(rings, 1);
	pthread_mutex_unlock(&rings->recv_lock);
	if (done || !count)
		return done;
	return error ? error : -EAGAIN;
}

/* Is there a field that the kernel would not have? As VNIC_IOC_SEND. */
static int refused(const struct vnic_packet *packet)
{
	return packet->flags || packet->reserved || packet->vnet.hash_value ||
	       packet->vnet.num_buffers || packet->vnet.hash_report ||
	       packet->vnet.reserved;
}

/*
 * As many as there is room for; a result is written for each. Returns how many,
 * of which @frames are in the ring.
 */
static unsigned int put(struct rings *rings, struct vnic_packet *packets,
			unsigned int count, unsigned int *frames)
{
	__u32 pos = rings->head->send_prod.value, mask = rings->send_size - 1;
	__u32 end = acquire(&rings->head->send_cons) + rings->send_size;
	struct vnic_frame *frame;
	__u32 need, piece;
	unsigned int i;

	*frames = 0;
	for (i = 0; i < count && !refused(&packets[i]); i++) {
		if (packets[i].len > rings->send_size / 2 - LEAST) {
			packets[i].result = -EMSGSIZE;
			continue;
		}
		need = takes(packets[i].len);
		piece = rings->send_size - (pos & mask);
		frame = (void *)(rings->send + (pos & mask));
		if (need > piece) {
			if (end - pos < piece + need)
				break;
			memset(frame, 0, sizeof(*frame));
			frame->flags = VNIC_FRAME_PAD;
			pos += piece;
			frame = (void *)rings->send;
		} else if (end - pos < need) {
			break;
		}
		frame->len = packets[i].len;
		frame->flags = 0;
		frame->proto = packets[i].proto;
		frame->vnet = packets[i].vnet;
		memcpy(frame + 1, (void *)(uintptr_t)packets[i].addr,
		       packets[i].len);
		packets[i].result = 0;
		pos += need;
		++*frames;
	}
	release(&rings->head->send_prod, pos);
	return i;
}

/* Of those that were put, how many entries are those of the first @frames? */
static unsigned int entries_of(const struct vnic_packet *packets,
			       unsigned int count, unsigned int frames)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (!packets[i].result && !frames--)
			break;
	}
	return i;
}

int rings_send_packets(struct rings *rings, int fd,
		       struct vnic_packet *packets, unsigned int count)
{
	unsigned int done = 0, entries, frames;
	int taken, error = 0;

	if (count > VNIC_BATCH_MAX)
		return -EINVAL;
	pthread_mutex_lock(&rings->send_lock);
	while (done < count && !error) {
		entries = put(rings, packets + done, count - done, &frames);
		if (!entries) {
			error = -EINVAL;
			break;
		}
		taken = frames ? ioctl(fd, VNIC_IOC_RING_SEND) : 0;
		if (taken < 0)
			error = -errno;
		if (taken < 0 || (unsigned int)taken < frames) {
			/* The others are the caller's again. */
			rings->head->send_prod.value =
				acquire(&rings->head->send_cons);
			entries = entries_of(packets + done, entries,
					     taken < 0 ? 0 : taken);
			done += entries;
			break;
		}
		done += entries;
	}
	pthread_mutex_unlock(&rings->send_lock);
	return done ? (int)done : error;
}
