// SPDX-License-Identifier: GPL-2.0
/*
 * batch - VNIC_IOC_SEND and VNIC_IOC_RECV
 *
 * Arguments that no other thread writes to are judged: what is reserved has to
 * be refused, and nothing may be written behind a buffer.
 */
#include <sys/ioctl.h>

#include "fuzz.h"

#define BATCH_ENTRIES	(VNIC_BATCH_MAX + 1)
#define BATCH_DATA	(96 << 10)	/* where packets begin in the room */
#define GUARD		0xa5

struct call {
	struct vnic_batch	*batch;
	struct vnic_packet	*entries;
	unsigned char		*data;
	size_t			room;
	unsigned int		count;	/* entries that are filled */
	unsigned int		asked;	/* what the head says, of these or of more */
	unsigned int		bad;	/* the first that has to be refused */
	bool			slow;	/* packets may lie in slow memory */
};

/* A field that has to be 0 is not. */
static void spoil_entry(struct rng *rng, struct vnic_packet *entry, bool send)
{
	__u32 value = 1 << rng_below(rng, 16);

	if (rng_one_in(rng, 2))
		value |= rng_next(rng);

	switch (send ? rng_below(rng, 6) : 0) {
	case 0:
		entry->reserved = value;
		break;
	case 1:
		entry->flags = value;
		break;
	case 2:
		entry->vnet.num_buffers = htole16(value);
		break;
	case 3:
		entry->vnet.hash_value = htole32(value);
		break;
	case 4:
		entry->vnet.hash_report = htole16(value);
		break;
	default:
		entry->vnet.reserved = htole16(value);
		break;
	}
}

static void fill_entry(struct rng *rng, struct call *call, unsigned int i,
		       bool send, bool tap)
{
	struct vnic_packet *entry = &call->entries[i];
	struct packet packet = { .data = call->data + i % 8 * 16384 };

	memset(entry, 0, sizeof(*entry));
	entry->addr = (uintptr_t)packet.data;
	if (i < 8 && send) {
		packet_make(rng, &packet, 16384, tap);
		packet_vnet(rng, &packet, &entry->vnet);
	} else {
		packet.len = rng_below(rng, 2048);
	}
	entry->len = packet.len;
	/* The next entries may change while this one's packet is waited for. */
	if (call->slow && rng_one_in(rng, 4)) {
		entry->addr = (uintptr_t)slow_page(i, packet.data);
		entry->len = 20 + rng_below(rng, 1500);
	}
	if (rng_one_in(rng, 32))
		entry->addr = rng_one_in(rng, 2) ? 0 : -4096ULL;
	if (rng_one_in(rng, 32))
		entry->len = interesting(rng);
	if (rng_one_in(rng, 8))
		entry->proto = rng_next(rng);
	if (rng_one_in(rng, 48)) {
		spoil_entry(rng, entry, send);
		if (call->bad > i)
			call->bad = i;
	}
}

static unsigned int entry_count(struct rng *rng)
{
	static const unsigned int counts[] = { 0, 1, 2, 7, 8, 9, 63, 64, 65,
					       200, 1023, 1024 };

	if (!rng_one_in(rng, 6))
		return 1 + rng_below(rng, 24);
	return counts[rng_below(rng, COUNT_OF(counts))];
}

/* Returns whether the head itself has to be refused. */
static bool fill_head(struct rng *rng, struct call *call)
{
	struct vnic_batch *batch = call->batch;

	*batch = (struct vnic_batch) {
		.packets = (uintptr_t)call->entries,
		.count = call->count,
		.min = rng_one_in(rng, 4) ? rng_below(rng, call->count + 1) : 0,
	};
	if (!rng_one_in(rng, 12))
		return false;
	switch (rng_below(rng, 4)) {
	case 0:
		batch->count = VNIC_BATCH_MAX + 1 + rng_below(rng, 2) *
			       interesting(rng);
		return batch->count > VNIC_BATCH_MAX;
	case 1:
		batch->min = interesting(rng);
		return batch->min > batch->count;
	case 2:
		batch->flags = 1U << rng_below(rng, 32);
		return true;
	default:
		batch->reserved[rng_below(rng, 3)] = 1U << rng_below(rng, 32);
		return true;
	}
}

static void judge(const struct call *call, bool refuse, long result)
{
	if (refuse && result != -EINVAL && result != -EBADF &&
	    result != -ENOTTY)
		report("a batch that has to be refused: %ld", result);
	if (result > (long)call->bad)
		report("entry %u has to be refused, %ld were taken", call->bad,
		       result);
	if (result > (long)call->asked)
		report("%ld of %u entries were taken", result, call->asked);
}

/* What was received lies in its buffer, and nothing behind that. */
static void judge_received(const struct call *call, long result,
			   const __u32 *lengths)
{
	long i;
	size_t at;

	for (i = 0; i < result && i < 8; i++) {
		if (call->entries[i].addr != (uintptr_t)call->data + i * 16384)
			continue;
		for (at = lengths[i]; at < lengths[i] + 64; at++)
			if (at < 16384 && call->data[i * 16384 + at] != GUARD)
				report("byte %zu behind a buffer of %u", at,
				       lengths[i]);
	}
}

/**
 * op_batch() - one batch
 * @worker: the thread
 * @op: the operation
 *
 * Return: as the ioctl, or -errno.
 */
long op_batch(struct worker *worker, const struct op *op)
{
	bool private = !(op->b & FUZZ_SHARED), send = op->a & 2, refuse;
	unsigned char *room = private ? worker->room : worker->shared;
	struct rng *rng = &worker->rng;
	struct call call = {
		.batch = (void *)room,
		.entries = (void *)(room + 64),
		.data = room + BATCH_DATA,
		.count = entry_count(rng),
		.bad = ~0U,
		.slow = !private,
	};
	__u32 lengths[8];
	unsigned int i;
	long result;
	bool tap;

	queue_headers(op, &tap);
	for (i = 0; i < call.count; i++) {
		fill_entry(rng, &call, i, send, tap);
		if (i < 8)
			lengths[i] = call.entries[i].len;
	}
	if (!send && private)
		memset(call.data, GUARD, 8 * 16384);
	refuse = fill_head(rng, &call);
	call.asked = call.batch->count;
	result = ioctl(op_fd(op), send ? VNIC_IOC_SEND : VNIC_IOC_RECV,
		       call.batch);
	if (result < 0)
		result = -errno;
	if (private)
		judge(&call, refuse, result);
	if (private && !send && call.count <= 8)
		judge_received(&call, result, lengths);
	return result;
}
