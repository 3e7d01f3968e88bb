// SPDX-License-Identifier: GPL-2.0
/*
 * ring - rings in shared memory, with a program that lies in them
 *
 * Each thread has a few of them mapped, of whatever file, and writes into those
 * alone; several may have the same.
 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fuzz.h"

#define MAPS	2		/* of each thread */

struct map {
	int			fd;	/* a mapping holds the file as well */
	struct vnic_ring_head	*head;
	size_t			size;
	__u32			recv_size, send_size;
};

static struct map maps[FUZZ_THREADS][MAPS];

static __u32 size_make(struct rng *rng)
{
	static const __u32 sizes[] = { 0, VNIC_RING_MIN, 2 * VNIC_RING_MIN };

	if (rng_one_in(rng, 8))
		return interesting(rng);
	return sizes[rng_below(rng, COUNT_OF(sizes))];
}

/* What others have asked for is not known; this is what can have been. */
static __u32 size_possible(__u32 size)
{
	return size > VNIC_RING_MAX || size & (size - 1) ||
	       size < VNIC_RING_MIN ? 0 : size;
}

static void map_drop(struct map *map)
{
	if (!map->head)
		return;
	munmap(map->head, map->size);
	if (map->fd >= 0)
		close(map->fd);
	map->head = NULL;
}

static long ring_setup(struct worker *worker, const struct op *op,
		       struct map *map)
{
	struct rng *rng = &worker->rng;
	struct vnic_ring_setup *setup = argument(worker, op, sizeof(*setup));
	struct vnic_ring_setup copy = { };
	void *at;

	copy.recv_size = size_make(rng);
	copy.send_size = size_make(rng);
	if (rng_one_in(rng, 8))
		copy.flags = interesting(rng);
	if (rng_one_in(rng, 8))
		copy.reserved[op->a & 1] = interesting(rng);
	/* Its end may be where nothing is. */
	memcpy(setup, &copy, (unsigned char *)setup + sizeof(copy) >
	       worker->edge && (unsigned char *)setup < worker->edge ?
	       (size_t)(worker->edge - (unsigned char *)setup) : sizeof(copy));
	if (ioctl(op_fd(op), VNIC_IOC_RING_SETUP, setup)) {
		/* Another thread's perhaps: their memory is shared as well. */
		if (errno != EBUSY)
			return -errno;
	} else if ((copy.flags | copy.reserved[0] | copy.reserved[1]) &&
		   !(op->b & FUZZ_SHARED)) {
		report("a ring with fields that are not 0");
	}
	copy.recv_size = size_possible(copy.recv_size);
	copy.send_size = size_possible(copy.send_size);
	map_drop(map);
	map->size = 4096 + copy.recv_size + copy.send_size;
	at = mmap(NULL, map->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		  op_fd(op), 0);
	if (at == MAP_FAILED)
		return -errno;
	map->head = at;
	map->fd = fcntl(op_fd(op), F_DUPFD_CLOEXEC, 0);
	map->recv_size = copy.recv_size;
	map->send_size = copy.send_size;
	return 0;
}

/* A frame where the next one belongs, right or nearly so. */
static long ring_put(struct worker *worker, const struct op *op,
		     struct map *map)
{
	__u32 pos, at, need, room = map->send_size;
	struct rng *rng = &worker->rng;
	struct vnic_frame *frame;
	struct packet packet;
	bool tap;

	if (!room)
		return -ENODEV;
	queue_headers(op, &tap);
	packet.data = worker->room;
	packet_make(rng, &packet, 9000, tap);
	need = (sizeof(*frame) + packet.len + VNIC_FRAME_ALIGN - 1) &
	       -VNIC_FRAME_ALIGN;
	pos = map->head->send_prod.value & -VNIC_FRAME_ALIGN;
	at = pos & (room - 1);
	frame = (void *)((char *)map->head + map->size - room + at);
	*frame = (struct vnic_frame) { .len = packet.len };
	if (need > room - at) {
		frame->flags = VNIC_FRAME_PAD;
		frame->len = 0;
		need = room - at;
	} else {
		if (rng_one_in(rng, 4))
			packet_vnet(rng, &packet, &frame->vnet);
		memcpy(frame + 1, packet.data, packet.len);
	}
	if (rng_one_in(rng, 8))
		frame->len = interesting(rng);
	if (rng_one_in(rng, 8))
		frame->flags = interesting(rng);
	map->head->send_prod.value = pos + need;
	return 0;
}

/* Any index, or a few words anywhere. */
static long ring_scribble(struct rng *rng, struct map *map)
{
	__u32 *words = (__u32 *)map->head;
	size_t i, count = map->size / sizeof(*words);

	if (rng_one_in(rng, 2)) {
		i = rng_below(rng, 5) * sizeof(struct vnic_ring_index) /
		    sizeof(*words);
		words[i] = rng_one_in(rng, 2) ? interesting(rng) :
			   words[i] + rng_below(rng, 256) - 128;
		return 0;
	}
	for (i = 0; i < 64; i++)
		words[rng_next(rng) % count] = interesting(rng);
	return 0;
}

/**
 * op_ring() - something with a ring
 * @worker: the thread
 * @op: the operation
 *
 * Return: as the call, or -errno.
 */
long op_ring(struct worker *worker, const struct op *op)
{
	struct map *map = &maps[worker->id][op->a / 16 % MAPS];
	long result;
	int fd;

	/* Without one there is little to do; it takes a device. */
	if (op->a % 8 == 0 || !map->head) {
		if (op->b & 0x30)
			op_attach(worker, op);
		return ring_setup(worker, op, map);
	}
	fd = op->b & 7 ? map->fd : op_fd(op);
	switch (op->a % 8) {
	case 1:
		result = ioctl(fd, VNIC_IOC_RING_WAIT);
		return result < 0 ? -errno : result;
	case 2:
		return ring_scribble(&worker->rng, map);
	case 3:
		/* All that has come is read. */
		map->head->recv_cons.value = map->head->recv_prod.value;
		map->head->recv_event.value = map->head->recv_prod.value;
		return 0;
	case 4:
	case 5:
		return ring_put(worker, op, map);
	default:
		if (op->b & 0x38)
			ring_put(worker, op, map);
		result = ioctl(fd, VNIC_IOC_RING_SEND);
		return result < 0 ? -errno : result;
	}
}

/**
 * ring_forget() - unmap all: a mapping holds its file
 *
 * When no thread runs.
 */
void ring_forget(void)
{
	unsigned int thread, i;

	for (thread = 0; thread < FUZZ_THREADS; thread++)
		for (i = 0; i < MAPS; i++)
			map_drop(&maps[thread][i]);
}
