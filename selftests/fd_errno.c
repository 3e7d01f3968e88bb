// SPDX-License-Identifier: GPL-2.0
/*
 * What programs rely on: the same call on in-tree tun and on ours, in the same
 * boot, has the same answer. Where ours is meant to be another one, the table
 * says so, and why.
 *
 *   case --> /dev/net/tun --> answer --\
 *       \--> /dev/vnic    --> answer ---+--> the same, or a named difference
 */
#include "fd_bpf.h"

#include <linux/filter.h>

FD_FIXTURE(answers)

/* What a case works with: a file, and the mode that it is about */
struct place {
	int fd, mode;
	struct nic nic;
};

static unsigned char packet[70000];

static int attach(struct place *p, int flags)
{
	return nic_attach(&p->nic, p->fd, "er0", p->mode | flags);
}

static int up(struct place *p, int flags)
{
	fcntl(p->fd, F_SETFL, O_NONBLOCK);
	return attach(p, flags | IFF_NO_PI) ?: if_up("er0");
}

static int again(struct place *p, int flags)
{
	struct nic nic;

	return nic_open(&nic, "er0", p->mode | flags, 0);
}

#define CASE(name, ...)							\
static int name(struct place *p) { __VA_ARGS__ }

/* Before TUNSETIFF */
CASE(read_unattached, return neg(read(p->fd, packet, 100));)
CASE(write_unattached, return neg(write(p->fd, packet, 100));)
CASE(poll_unattached, return poll_now(p->fd, POLLIN | POLLOUT);)
CASE(getiff_unattached, return get_iff(p->fd, NULL);)
CASE(hdrsz_unattached, return set_number(p->fd, TUNSETVNETHDRSZ, 12);)
CASE(sndbuf_unattached, return get_number(p->fd, TUNGETSNDBUF);)
CASE(offload_unattached, return do_ioctl(p->fd, TUNSETOFFLOAD, 0);)
CASE(queue_unattached, return set_queue(p->fd, IFF_ATTACH_QUEUE);)
CASE(unknown_unattached, return do_ioctl(p->fd, _IO('T', 99), 0);)
CASE(fionread_unattached, return do_ioctl(p->fd, FIONREAD, packet);)
CASE(features_bad_pointer, return do_ioctl(p->fd, TUNGETFEATURES, NULL);)
CASE(setiff_bad_pointer, return do_ioctl(p->fd, TUNSETIFF, NULL);)
CASE(seek, return neg(lseek(p->fd, 0, SEEK_SET));)

/* TUNSETIFF */
CASE(no_mode, return nic_attach(&p->nic, p->fd, "er0", IFF_NO_PI);)
CASE(both_modes, return nic_attach(&p->nic, p->fd, "er0",
				   IFF_TUN | IFF_TAP) ?:
		 get_iff(p->fd, NULL) & 3;)
CASE(unknown_bits, return attach(p, 0x0c);)
CASE(pointopoint, return attach(p, IFF_POINTOPOINT | IFF_NO_PI) ?:
		  get_iff(p->fd, NULL);)
CASE(persist_bit, return attach(p, IFF_PERSIST) ?: get_iff(p->fd, NULL);)
CASE(twice, return attach(p, 0) ?: attach(p, 0);)
CASE(twice_other_name, return attach(p, 0) ?:
	nic_attach(&p->nic, p->fd, "er1", p->mode);)
CASE(second_file, return attach(p, 0) ?: again(p, 0);)
CASE(exclusive, return attach(p, 0) ?: again(p, IFF_TUN_EXCL);)
CASE(exclusive_new, return attach(p, IFF_TUN_EXCL);)
CASE(other_mode, return attach(p, 0) ?: again(p, 3);)
CASE(multi_to_single, return attach(p, 0) ?: again(p, IFF_MULTI_QUEUE);)
CASE(single_to_multi, return attach(p, IFF_MULTI_QUEUE) ?: again(p, 0);)
CASE(frags_without_napi, return attach(p, IFF_NAPI_FRAGS);)
CASE(frags, return attach(p, IFF_NAPI | IFF_NAPI_FRAGS);)
CASE(loopback, return nic_attach(&p->nic, p->fd, "lo", p->mode);)
CASE(bad_name, return nic_attach(&p->nic, p->fd, "a/b", p->mode);)
CASE(bad_pattern, return nic_attach(&p->nic, p->fd, "a%s", p->mode);)
CASE(pattern, return nic_attach(&p->nic, p->fd, "a%d", p->mode);)
CASE(taken_index, return set_number(p->fd, TUNSETIFINDEX, 1) ?:
	attach(p, 0);)
CASE(negative_index, return set_number(p->fd, TUNSETIFINDEX, -1);)
CASE(late_index, return attach(p, 0) ?:
	set_number(p->fd, TUNSETIFINDEX, 77);)

static int as_user(void *arg)
{
	struct place *p = arg;

	return become(USER, USER) ?: attach(p, 0);
}

CASE(unprivileged, return in_child(as_user, p);)

static int leave(struct place *p, unsigned long request, long id)
{
	struct nic nic;
	int result = nic_open(&nic, "er0", p->mode, 0) ?:
		     do_ioctl(nic.fd, TUNSETPERSIST, 1) ?:
		     neg(ioctl(nic.fd, request, id));

	close(nic.fd);
	return result;
}

CASE(as_owner, return leave(p, TUNSETOWNER, USER) ?: in_child(as_user, p);)
CASE(as_stranger, return leave(p, TUNSETOWNER, OTHER) ?:
	in_child(as_user, p);)
CASE(as_group, return leave(p, TUNSETGROUP, USER) ?: in_child(as_user, p);)
CASE(nobody_named, return leave(p, TUNSETPERSIST, 1) ?:
	in_child(as_user, p);)

/* Attached */
CASE(unknown, return attach(p, 0) ?: do_ioctl(p->fd, _IO('T', 99), 0);)
CASE(other_family, return attach(p, 0) ?: do_ioctl(p->fd, _IO('x', 1), 0);)
CASE(fionread, return attach(p, 0) ?: do_ioctl(p->fd, FIONREAD, packet);)
CASE(tcgets, return attach(p, 0) ?: do_ioctl(p->fd, TCGETS, packet);)
CASE(getiff, return attach(p, IFF_VNET_HDR | IFF_ONE_QUEUE) ?:
	get_iff(p->fd, NULL);)
CASE(queue_of_single, return attach(p, 0) ?:
	set_queue(p->fd, IFF_DETACH_QUEUE);)
CASE(queue_nothing, return attach(p, IFF_MULTI_QUEUE) ?:
	set_queue(p->fd, 0);)
CASE(queue_attached, return attach(p, IFF_MULTI_QUEUE) ?:
	set_queue(p->fd, IFF_ATTACH_QUEUE);)
CASE(queue_twice, return attach(p, IFF_MULTI_QUEUE) ?:
	set_queue(p->fd, IFF_DETACH_QUEUE) ?:
	set_queue(p->fd, IFF_DETACH_QUEUE);)
CASE(setiff_detached, return attach(p, IFF_MULTI_QUEUE) ?:
	set_queue(p->fd, IFF_DETACH_QUEUE) ?: attach(p, IFF_MULTI_QUEUE);)
CASE(getiff_detached, return attach(p, IFF_MULTI_QUEUE) ?:
	set_queue(p->fd, IFF_DETACH_QUEUE) ?: get_iff(p->fd, NULL);)
CASE(sndbuf_0, return attach(p, 0) ?: set_number(p->fd, TUNSETSNDBUF, 0);)
CASE(sndbuf_negative, return attach(p, 0) ?:
	set_number(p->fd, TUNSETSNDBUF, -1);)
CASE(sndbuf_pointer, return attach(p, 0) ?:
	do_ioctl(p->fd, TUNSETSNDBUF, NULL);)
CASE(hdrsz_9, return attach(p, 0) ?:
	set_number(p->fd, TUNSETVNETHDRSZ, 9);)
CASE(hdrsz_12, return attach(p, 0) ?:
	set_number(p->fd, TUNSETVNETHDRSZ, 12) ?:
	get_number(p->fd, TUNGETVNETHDRSZ);)
CASE(little_endian, return attach(p, 0) ?:
	set_number(p->fd, TUNSETVNETLE, 1) ?: get_number(p->fd, TUNGETVNETLE);)
CASE(big_endian, return attach(p, 0) ?:
	set_number(p->fd, TUNSETVNETBE, 1);)
CASE(big_endian_get, return attach(p, 0) ?:
	get_number(p->fd, TUNGETVNETBE);)
CASE(offload_none, return attach(p, 0) ?: do_ioctl(p->fd, TUNSETOFFLOAD, 0);)
CASE(offload_qemu, return attach(p, 0) ?:
	do_ioctl(p->fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_UFO);)
CASE(offload_tso_alone, return attach(p, 0) ?:
	do_ioctl(p->fd, TUNSETOFFLOAD, TUN_F_TSO4);)
CASE(offload_unknown, return attach(p, 0) ?:
	do_ioctl(p->fd, TUNSETOFFLOAD, 0x8000);)
CASE(offload_uso, return attach(p, 0) ?:
	do_ioctl(p->fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6);)
CASE(link_type_up, return up(p, 0) ?: do_ioctl(p->fd, TUNSETLINK, 512);)
CASE(carrier_pointer, return attach(p, 0) ?:
	do_ioctl(p->fd, TUNSETCARRIER, NULL);)
CASE(owner_bad, return attach(p, 0) ?:
	neg(ioctl(p->fd, TUNSETOWNER, -1L));)
CASE(steering_bad_fd, return attach(p, 0) ?:
	set_number(p->fd, TUNSETSTEERINGEBPF, 999);)
CASE(steering_no_program, return attach(p, 0) ?:
	set_number(p->fd, TUNSETSTEERINGEBPF, p->fd);)
CASE(filter_none, return attach(p, 0) ?:
	set_number(p->fd, TUNSETFILTEREBPF, -1);)
CASE(txfilter_pointer, return attach(p, 0) ?:
	do_ioctl(p->fd, TUNSETTXFILTER, NULL);)
CASE(detach_filter, return attach(p, 0) ?:
	do_ioctl(p->fd, TUNDETACHFILTER, 0);)
CASE(attach_filter_pointer, return attach(p, 0) ?:
	do_ioctl(p->fd, TUNATTACHFILTER, NULL);)
CASE(set_address, struct ifreq ifr = { .ifr_hwaddr.sa_family = 1 };
	ifr.ifr_hwaddr.sa_data[0] = 2;
	return attach(p, 0) ?: do_ioctl(p->fd, SIOCSIFHWADDR, &ifr);)
CASE(netns_of_device, int ns = attach(p, 0) ?:
	do_ioctl(p->fd, TUNGETDEVNETNS); return ns > 0 ? 0 : ns;)
CASE(other_siocs, return attach(p, 0) ?:
	do_ioctl(p->fd, SIOCGIFFLAGS, packet);)

/* Reading and writing */
CASE(read_empty, return up(p, 0) ?: neg(read(p->fd, packet, 100));)
CASE(read_nothing, return up(p, 0) ?: neg(read(p->fd, packet, 0));)
CASE(poll_down, fcntl(p->fd, F_SETFL, O_NONBLOCK);
	return attach(p, 0) ?: poll_now(p->fd, POLLIN | POLLOUT);)
CASE(poll_up, return up(p, 0) ?: poll_now(p->fd, POLLIN | POLLOUT);)
CASE(write_down, packet_fill(packet, p->mode, 100, 1);
	return attach(p, IFF_NO_PI) ?: neg(write(p->fd, packet, 100));)
CASE(write_one, packet_fill(packet, p->mode, 100, 1);
	return up(p, 0) ?: neg(write(p->fd, packet, 100));)
CASE(write_nothing, return up(p, 0) ?: neg(write(p->fd, packet, 0));)
CASE(write_short, packet_fill(packet, p->mode, 100, 1);
	return up(p, 0) ?: neg(write(p->fd, packet, 13));)
CASE(write_no_ip, memset(packet, 0, 100);
	return up(p, 0) ?: neg(write(p->fd, packet, 100));)
CASE(write_bad_pointer, return up(p, 0) ?:
	neg(write(p->fd, (void *)-4096L, 100));)
CASE(write_short_header, return up(p, IFF_VNET_HDR) ?:
	neg(write(p->fd, packet, 9));)
CASE(write_bad_header, packet_fill(packet, p->mode, 100, 1);
	memset(packet, 0, 10); packet[1] = 1;
	return up(p, IFF_VNET_HDR) ?: neg(write(p->fd, packet, 100));)
CASE(write_detached, packet_fill(packet, p->mode, 100, 1);
	return up(p, IFF_MULTI_QUEUE) ?: set_queue(p->fd, IFF_DETACH_QUEUE) ?:
	neg(write(p->fd, packet, 100));)
CASE(read_detached, return up(p, IFF_MULTI_QUEUE) ?:
	set_queue(p->fd, IFF_DETACH_QUEUE) ?: neg(read(p->fd, packet, 100));)
CASE(write_detached_napi, packet_fill(packet, p->mode, 100, 1);
	return up(p, IFF_MULTI_QUEUE | IFF_NAPI) ?:
	set_queue(p->fd, IFF_DETACH_QUEUE) ?: neg(write(p->fd, packet, 100));)

static int sent(struct place *p, int flags, void *to, int room)
{
	int sock, result = up(p, flags);

	if (result)
		return result;
	sock = packet_socket(p->nic.index);
	result = send_packets(sock, p->mode, 100, 1, 2);
	close(sock);
	return result ?: read_packet(p->fd, to, room);
}

CASE(read_one, return sent(p, 0, packet, 200);)
CASE(read_short, return sent(p, 0, packet, 20);)
CASE(read_header, return sent(p, IFF_VNET_HDR, packet, 200);)
CASE(read_short_header, return sent(p, IFF_VNET_HDR, packet, 9);)
CASE(read_bad_pointer, return sent(p, 0, (void *)-4096L, 200);)

/* Deleted */
static int deleted(struct place *p)
{
	return up(p, 0) ?: link_delete(p->nic.index);
}

CASE(read_deleted, return deleted(p) ?: neg(read(p->fd, packet, 100));)
CASE(write_deleted, return deleted(p) ?: neg(write(p->fd, packet, 100));)
CASE(poll_deleted, return deleted(p) ?: poll_now(p->fd, POLLIN | POLLOUT);)
CASE(getiff_deleted, return deleted(p) ?: get_iff(p->fd, NULL);)
CASE(queue_deleted, return deleted(p) ?: set_queue(p->fd, IFF_DETACH_QUEUE);)
CASE(attach_deleted, return deleted(p) ?: attach(p, 0);)

/* @differs: why ours has another answer, where it has; NULL: it must not */
static const struct {
	const char *name;
	int (*run)(struct place *p);
	const char *differs;
} cases[] = {
#define SAME(name)		{ #name, name, NULL }
#define OTHER_ANSWER(name, why)	{ #name, name, why }
	SAME(read_unattached), SAME(write_unattached), SAME(poll_unattached),
	SAME(getiff_unattached), SAME(hdrsz_unattached),
	SAME(sndbuf_unattached), SAME(offload_unattached),
	SAME(queue_unattached), SAME(unknown_unattached),
	SAME(fionread_unattached), SAME(features_bad_pointer),
	SAME(setiff_bad_pointer), SAME(seek),
	SAME(no_mode), SAME(both_modes), SAME(unknown_bits),
	SAME(pointopoint), SAME(persist_bit), SAME(twice),
	SAME(twice_other_name), SAME(second_file), SAME(exclusive),
	SAME(exclusive_new), SAME(other_mode), SAME(multi_to_single),
	SAME(single_to_multi), SAME(frags_without_napi), SAME(frags),
	SAME(loopback), SAME(bad_name), SAME(bad_pattern), SAME(pattern),
	SAME(taken_index), SAME(negative_index), SAME(late_index),
	SAME(unprivileged), SAME(as_owner), SAME(as_stranger), SAME(as_group),
	OTHER_ANSWER(nobody_named, "tun before 7.x lets everybody in"),
	SAME(unknown), SAME(other_family), SAME(fionread), SAME(tcgets),
	SAME(getiff), SAME(queue_of_single), SAME(queue_nothing),
	SAME(queue_attached), SAME(queue_twice), SAME(setiff_detached),
	SAME(getiff_detached), SAME(sndbuf_0), SAME(sndbuf_negative),
	SAME(sndbuf_pointer), SAME(hdrsz_9), SAME(hdrsz_12),
	SAME(little_endian), SAME(big_endian), SAME(big_endian_get),
	SAME(offload_none), SAME(offload_qemu), SAME(offload_tso_alone),
	SAME(offload_unknown),
	OTHER_ANSWER(offload_uso, "tun before 6.2 has none"),
	SAME(link_type_up), SAME(carrier_pointer), SAME(owner_bad),
	SAME(steering_bad_fd), SAME(steering_no_program), SAME(filter_none),
	SAME(txfilter_pointer), SAME(detach_filter),
	SAME(attach_filter_pointer), SAME(set_address), SAME(netns_of_device),
	SAME(other_siocs),
	SAME(read_empty), SAME(read_nothing), SAME(poll_down), SAME(poll_up),
	SAME(write_down), SAME(write_one), SAME(write_nothing),
	SAME(write_short), SAME(write_no_ip), SAME(write_bad_pointer),
	SAME(write_short_header), SAME(write_bad_header),
	SAME(write_detached), SAME(read_detached), SAME(write_detached_napi),
	SAME(read_one), SAME(read_short), SAME(read_header),
	SAME(read_short_header),
	OTHER_ANSWER(read_bad_pointer, "tun tells the length of nothing"),
	SAME(read_deleted), SAME(write_deleted), SAME(poll_deleted),
	SAME(getiff_deleted), SAME(queue_deleted), SAME(attach_deleted),
};

/* The answer of one device to one case; nothing is left afterwards. */
static int answer(const char *device, int (*run)(struct place *p), int mode)
{
	struct place p = { .mode = mode };
	int result, index;

	setenv("VNIC_DEV", device, 1);
	p.fd = device_open(0);
	if (p.fd < 0)
		return p.fd;
	result = run(&p);
	close(p.fd);
	index = if_index("er0");
	if (index > 0)
		link_delete(index);
	return result;
}

static const char *text(int result, char *room)
{
	if (result < 0 && strerrorname_np(-result))
		return strerrorname_np(-result);
	sprintf(room, result < 0 ? "%d" : "%#x", result);
	return room;
}

TEST_F_TIMEOUT(answers, side_by_side, 2 * FD_TIMEOUT)
{
	struct stat tun_node;
	char rooms[2][32];
	const char *why;
	unsigned int i;
	int tun, ours;

	if (in_tree())
		SKIP(return, "it is compared with itself here");
	if (stat("/dev/net/tun", &tun_node) || !S_ISCHR(tun_node.st_mode))
		SKIP(return, "no in-tree tun in this kernel");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		tun = answer("/dev/net/tun", cases[i].run, variant->mode);
		if (tun == -ENODEV || tun == -ENXIO)
			SKIP(return, "no in-tree tun in this kernel");
		ours = answer("/dev/vnic", cases[i].run, variant->mode);
		why = "";
		if (tun != ours && cases[i].differs)
			why = cases[i].differs;
		printf("# case %s -> tun=%s vnic=%s %s\n", cases[i].name,
		       text(tun, rooms[0]), text(ours, rooms[1]), why);
		fflush(stdout);
		if (!cases[i].differs) {
			EXPECT_EQ(tun, ours) TH_LOG("%s", cases[i].name);
		}
	}
}

TEST_HARNESS_MAIN
