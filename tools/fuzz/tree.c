// SPDX-License-Identifier: GPL-2.0
/*
 * tree - random attributes for RTM_NEWLINK: nested, cut, twice, out of place
 */
#include <linux/if_link.h>

#include "fuzz.h"

enum place { LINK, INFO, DATA };

static const __u16 link_types[] = {
	IFLA_ADDRESS, IFLA_BROADCAST, IFLA_IFNAME, IFLA_MTU, IFLA_LINK,
	IFLA_MASTER, IFLA_TXQLEN, IFLA_OPERSTATE, IFLA_LINKMODE,
	IFLA_NET_NS_FD, IFLA_IFALIAS, IFLA_AF_SPEC, IFLA_GROUP,
	IFLA_NUM_TX_QUEUES, IFLA_NUM_RX_QUEUES, IFLA_CARRIER,
	IFLA_LINK_NETNSID, IFLA_PROTO_DOWN, IFLA_GSO_MAX_SEGS,
	IFLA_GSO_MAX_SIZE, IFLA_XDP, IFLA_MIN_MTU, IFLA_MAX_MTU,
	IFLA_ALT_IFNAME, FUZZ_PARENT_DEV_NAME, IFLA_TARGET_NETNSID,
	IFLA_NEW_NETNSID, IFLA_VF_PORTS, IFLA_STATS,
};

static const char *const kinds[] = {
	VNIC_KIND_DUMMY, VNIC_KIND_VETH, VNIC_KIND_TUN, VNIC_KIND_TAP,
};

static void tree(struct message *m, struct rng *rng, enum place place,
		 unsigned int depth);

static __u16 type_of(struct rng *rng, enum place place)
{
	if (rng_one_in(rng, 12))
		return rng_below(rng, 128);
	switch (place) {
	case LINK:
		return link_types[rng_below(rng, COUNT_OF(link_types))];
	case INFO:
		return 1 + rng_below(rng, 5);
	default:
		return rng_one_in(rng, 2) ? rng_below(rng, 11) :
					    32 + rng_below(rng, 6);
	}
}

/* Something of about the right size. */
static void put_value(struct message *m, struct rng *rng, int type)
{
	static const __u8 sizes[] = { 0, 1, 2, 3, 4, 4, 4, 4, 6, 8, 16, 33 };
	size_t size = sizes[rng_below(rng, COUNT_OF(sizes))], i;
	__u8 value[64];
	__u32 number;

	for (i = 0; i < sizeof(value); i++)
		value[i] = rng_next(rng);
	number = interesting(rng);
	if (!rng_one_in(rng, 3))
		memcpy(value, &number, sizeof(number));
	/* Not out of the fuzzer's own namespaces. */
	if (type == IFLA_NET_NS_FD)
		memcpy(value, &world_spaces[rng_below(rng, FUZZ_SPACES)],
		       sizeof(int));
	if (type == IFLA_IFNAME || type == FUZZ_PARENT_DEV_NAME)
		size = snprintf((char *)value, sizeof(value), "f%u",
				rng_below(rng, FUZZ_LINKS)) +
		       !rng_one_in(rng, 8);
	message_put(m, type, value, size);
}

static void put_nest(struct message *m, struct rng *rng, int type,
		     enum place place, unsigned int depth)
{
	struct ifinfomsg info = { .ifi_index = rng_one_in(rng, 4) ?
					       interesting(rng) : 0 };
	struct rtattr *nest;

	nest = message_put(m, type, &info, place == LINK && depth &&
			   !rng_one_in(rng, 12) ? sizeof(info) : 0);
	if (!nest)
		return;
	tree(m, rng, place, depth + 1);
	message_nest_end(m, nest);
	if (rng_one_in(rng, 2))
		nest->rta_type |= NLA_F_NESTED;
	if (rng_one_in(rng, 24))
		nest->rta_type |= NLA_F_NET_BYTEORDER;
	/* Longer or shorter than what is in it. */
	if (rng_one_in(rng, 24))
		nest->rta_len += rng_below(rng, 9) - 4;
}

static void put_one(struct message *m, struct rng *rng, enum place place,
		    unsigned int depth)
{
	__u16 type = type_of(rng, place);
	const char *kind = kinds[rng_below(rng, COUNT_OF(kinds))];

	if (place == LINK && !rng_one_in(rng, 3) && depth < 6)
		put_nest(m, rng, IFLA_LINKINFO, INFO, depth);
	else if (place == INFO && type == IFLA_INFO_KIND)
		message_put(m, type, kind, strlen(kind) +
			    rng_below(rng, 2));
	else if (place == INFO && type == IFLA_INFO_DATA && depth < 6)
		put_nest(m, rng, type, DATA, depth);
	else if (place == DATA && type == VNIC_VETH_PEER && depth < 6)
		put_nest(m, rng, type, LINK, depth);
	else
		put_value(m, rng, type);
}

static void tree(struct message *m, struct rng *rng, enum place place,
		 unsigned int depth)
{
	unsigned int n = 1 + rng_below(rng, 5);
	const char *kind = kinds[rng_below(rng, COUNT_OF(kinds))];

	/* Without its kind nothing of it is looked at. */
	if (place == INFO && !rng_one_in(rng, 12))
		message_put(m, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	while (n--)
		put_one(m, rng, place, depth);
}

/**
 * tree_make() - append a random tree to a message
 * @m: the message
 * @rng: where from
 */
void tree_make(struct message *m, struct rng *rng)
{
	tree(m, rng, LINK, 0);
	/* The message is cut, or says so. */
	if (rng_one_in(rng, 16) && m->head.nlmsg_len > 64)
		m->head.nlmsg_len -= 1 + rng_below(rng, 40);
}
