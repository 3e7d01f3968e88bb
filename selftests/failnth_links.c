// SPDX-License-Identifier: GPL-2.0
/*
 * vndummy, vnveth, and what netlink and ethtool do to all kinds, with each
 * allocation failed once (failnth.h).
 *
 *   failnth_links -r failnth.pair_across
 *
 * Moves to another namespace are not here: where the core has no memory for one
 * it warns, and goes on.
 */
/* The core copies an interface's request back when all is done. */
#define FAIL_UNTOLD	-EFAULT

#include "failnth.h"

#include "bpf.h"
#include "fd_bpf.h"

#include <linux/veth.h>

/* Kernels whose headers are older know them all the same. */
#define LOOPBACK(on)	{ VNIC_DUMMY_LOOPBACK, 1, on }
#define MODE(mode)	{ VNIC_VETH_MODE, 1, mode }
#define SCRUB(on)	{ VNIC_VETH_SCRUB, 1, on }
#define BACKPRESSURE(on) { VNIC_VETH_BACKPRESSURE, 1, on }
#define BQL(on)		{ VNIC_VETH_BQL, 1, on }
#define QUEUES		3

static int delete(const char *name)
{
	int index = if_index(name);

	return index < 0 ? index : link_delete(index);
}

/* A pair v0, v1 with @attrs of the first end; the peer in namespace @there. */
static int pair_make(const struct attr *attrs, __u32 queues, int there)
{
	struct request r = request_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct rtattr *info, *data, *peer;
	struct ifinfomsg none = {};

	request_put(&r, IFLA_IFNAME, "v0", 3);
	if (queues) {
		request_put(&r, IFLA_NUM_TX_QUEUES, &queues, sizeof(queues));
		request_put(&r, IFLA_NUM_RX_QUEUES, &queues, sizeof(queues));
	}
	info = request_put(&r, IFLA_LINKINFO, NULL, 0);
	request_put(&r, IFLA_INFO_KIND, "vnveth", 7);
	data = request_put(&r, IFLA_INFO_DATA | NLA_F_NESTED, NULL, 0);
	for (; attrs->type; attrs++)
		request_put(&r, attrs->type, &attrs->value, attrs->size);
	peer = request_put(&r, VETH_INFO_PEER | NLA_F_NESTED, &none,
			   sizeof(none));
	request_put(&r, IFLA_IFNAME, "v1", 3);
	if (there >= 0)
		request_put(&r, IFLA_NET_NS_FD, &there, sizeof(there));
	if (queues) {
		request_put(&r, IFLA_NUM_TX_QUEUES, &queues, sizeof(queues));
		request_put(&r, IFLA_NUM_RX_QUEUES, &queues, sizeof(queues));
	}
	request_end(&r, peer);
	request_end(&r, data);
	request_end(&r, info);
	return request_do(&r);
}

/* The pair, and both ends up if so told */
static int pair(bool up)
{
	int result = pair_make(NO_ATTRS, QUEUES, -1);

	if (up && result >= 0)
		result = if_up("v0") ?: if_up("v1");
	return result;
}

static int dummy(const struct attr *attrs, bool up)
{
	int result = link_make("vndummy", "d0", QUEUES, attrs);

	return up && !result ? if_up("d0") : result;
}

static int change(const char *name, const char *kind, const struct attr *attrs)
{
	return link_change(if_index(name), kind, attrs);
}

static int gro(const char *name, bool on)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = on };

	return ethtool(name, &value);
}

static int ring(const char *name, int length)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };
	int result = ethtool(name, &ring);

	ring.cmd = ETHTOOL_SRINGPARAM;
	ring.rx_pending = length;
	return result ?: ethtool(name, &ring);
}

static int channels(const char *name, int rx, int tx)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	int result = ethtool(name, &channels);

	channels.cmd = ETHTOOL_SCHANNELS;
	channels.rx_count = rx;
	channels.tx_count = tx;
	return result ?: ethtool(name, &channels);
}

static int coalesce(const char *name, int usecs)
{
	struct ethtool_coalesce coalesce = { .cmd = ETHTOOL_GCOALESCE };
	int result = ethtool(name, &coalesce);

	coalesce.cmd = ETHTOOL_SCOALESCE;
	coalesce.rx_coalesce_usecs = usecs;
	return result ?: ethtool(name, &coalesce);
}

static int program(void)
{
	struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_load(BPF_PROG_TYPE_XDP, pass, ARRAY_SIZE(pass));
}

/* ---------------------------------------------------------------- vndummy */

FAIL_TEST(dummy_add)
{
	SWEEP(NOTHING, link_make("vndummy", "d0", 0, NO_ATTRS), delete("d0"));
}

FAIL_TEST(dummy_add_all)
{
	SWEEP(NOTHING, dummy(ATTRS(LOOPBACK(1)), false), delete("d0"));
}

FAIL_TEST(dummy_delete)
{
	SWEEP(dummy(ATTRS(LOOPBACK(1)), true), delete("d0"), NOTHING);
}

FAIL_TEST(dummy_up)
{
	SWEEP(dummy(ATTRS(LOOPBACK(1)), false), if_up("d0"), delete("d0"));
}

FAIL_TEST(dummy_down)
{
	SWEEP(dummy(ATTRS(LOOPBACK(1)), true), if_down("d0"), delete("d0"));
}

FAIL_TEST(dummy_loopback)
{
	SWEEP(dummy(NO_ATTRS, true),
	      change("d0", "vndummy", ATTRS(LOOPBACK(1))), delete("d0"));
}

/* ----------------------------------------------------------------- vnveth */

FAIL_TEST(pair_add)
{
	SWEEP(NOTHING, link_make("vnveth", "v0", 0, NO_ATTRS), delete("v0"));
}

FAIL_TEST(pair_add_all)
{
	SWEEP(NOTHING, pair_make(ATTRS(SCRUB(0), BACKPRESSURE(1), BQL(1)),
				 QUEUES, -1), delete("v0"));
}

FAIL_TEST(pair_add_l3)
{
	SWEEP(NOTHING, pair_make(ATTRS(MODE(VNIC_VETH_L3)), 1, -1),
	      delete("v1"));
}

FAIL_TEST(pair_across)
{
	SWEEP(NOTHING, pair_make(NO_ATTRS, 0, there), delete("v0"));
}

FAIL_TEST(pair_delete)
{
	SWEEP(pair(true), delete("v1"), NOTHING);
}

FAIL_TEST(pair_up)
{
	SWEEP(pair(false), if_up("v0"), delete("v0"));
}

/* With rings */
FAIL_TEST(pair_up_gro)
{
	SWEEP(pair(false) ?: gro("v0", true), if_up("v0"), delete("v0"));
}

FAIL_TEST(pair_change)
{
	SWEEP(pair(true),
	      change("v0", "vnveth",
		     ATTRS(SCRUB(0), BACKPRESSURE(1), BQL(1))), delete("v0"));
}

FAIL_TEST(pair_change_back)
{
	SWEEP(pair(true) ?: change("v0", "vnveth", ATTRS(BACKPRESSURE(1))),
	      change("v0", "vnveth", ATTRS(BACKPRESSURE(0))), delete("v0"));
}

/* ---------------------------------------------------------- rings, queues */

FAIL_TEST(gro_on)
{
	SWEEP(pair(true), gro("v0", true), delete("v0"));
}

FAIL_TEST(gro_off)
{
	SWEEP(pair(true) ?: gro("v0", true), gro("v0", false), delete("v0"));
}

FAIL_TEST(ring_resize)
{
	SWEEP(pair(true) ?: gro("v0", true), ring("v0", 1024), delete("v0"));
}

FAIL_TEST(channels_more)
{
	SWEEP(pair(true) ?: gro("v0", true) ?: channels("v0", 1, 1),
	      channels("v0", QUEUES, QUEUES), delete("v0"));
}

FAIL_TEST(channels_less)
{
	SWEEP(pair(true) ?: gro("v0", true), channels("v0", 1, 1),
	      delete("v0"));
}

/* What could be done of it is undone. */
FAIL_TEST(channels_more_and_less)
{
	SWEEP(pair(true) ?: gro("v0", true) ?: channels("v0", 1, QUEUES),
	      channels("v0", QUEUES, 1), delete("v0"));
}

FAIL_TEST(channels_cells)
{
	SWEEP(pair(true) ?: channels("v0", 1, 1),
	      channels("v0", QUEUES, QUEUES), delete("v0"));
}

FAIL_TEST(coalesce)
{
	SWEEP(pair(true) ?: gro("v0", true), coalesce("v0", 50), delete("v0"));
}

FAIL_TEST(dummy_channels)
{
	SWEEP(dummy(ATTRS(LOOPBACK(1)), true) ?: channels("d0", 1, 1),
	      channels("d0", QUEUES, QUEUES), delete("d0"));
}

/* -------------------------------------------------------------------- XDP */

static int prog;

static int attach(const char *name, int fd)
{
	return xdp_attach(if_index(name), fd, XDP_FLAGS_DRV_MODE);
}

FAIL_TEST(xdp_attach)
{
	prog = program();
	ASSERT_LE(0, prog);
	look(&first);
	SWEEP(pair(true), attach("v0", prog), delete("v0"));
}

FAIL_TEST(xdp_attach_down)
{
	prog = program();
	ASSERT_LE(0, prog);
	look(&first);
	SWEEP(pair(false) ?: attach("v0", prog), if_up("v0"), delete("v0"));
}

FAIL_TEST(xdp_replace)
{
	int other;

	prog = program();
	ASSERT_LE(0, prog);
	other = program();
	ASSERT_LE(0, other);
	look(&first);
	SWEEP(pair(true) ?: attach("v0", prog), attach("v0", other),
	      delete("v0"));
}

FAIL_TEST(xdp_detach)
{
	prog = program();
	ASSERT_LE(0, prog);
	look(&first);
	SWEEP(pair(true) ?: attach("v0", prog), attach("v0", -1),
	      delete("v0"));
}

FAIL_TEST(xdp_dummy)
{
	prog = program();
	ASSERT_LE(0, prog);
	look(&first);
	SWEEP(dummy(ATTRS(LOOPBACK(1)), true), attach("d0", prog),
	      delete("d0"));
}

/* ----------------------------------------------------- vntun, vntap: links */

static const struct attr all_tun[] = {
	{ VNIC_TUN_OWNER, 4, USER }, { VNIC_TUN_GROUP, 4, OTHER },
	{ VNIC_TUN_PI, 1, 0 }, { VNIC_TUN_VNET_HDR, 1, 1 },
	{ VNIC_TUN_PERSIST, 1, 1 }, { VNIC_TUN_BACKPRESSURE, 1, 1 }, { },
};

FAIL_TEST(tun_add)
{
	SWEEP(NOTHING, link_make("vntun", "t0", 0, all_tun),
	      delete("t0"));
}

FAIL_TEST(tap_add)
{
	SWEEP(NOTHING, link_make("vntap", "t0", QUEUES, all_tun),
	      delete("t0"));
}

FAIL_TEST(tap_delete)
{
	SWEEP(link_make("vntap", "t0", QUEUES, NO_ATTRS) ?: if_up("t0"),
	      delete("t0"), NOTHING);
}

FAIL_TEST(tap_change)
{
	SWEEP(link_make("vntap", "t0", QUEUES, NO_ATTRS) ?: if_up("t0"),
	      change("t0", "vntap", all_tun), delete("t0"));
}

FAIL_TEST(tap_xdp)
{
	prog = program();
	ASSERT_LE(0, prog);
	look(&first);
	SWEEP(link_make("vntap", "t0", QUEUES, NO_ATTRS) ?: if_up("t0"),
	      attach("t0", prog), delete("t0"));
}

TEST_HARNESS_MAIN
