// SPDX-License-Identifier: GPL-2.0
/*
 * vnet_fuzz - hostile virtio headers, by the million
 *
 *   vnet_fuzz tun|tap [COUNT [SEED]]
 *
 *   PRNG --> header + packet --> model: hostile, benign, or either
 *                        \--> VNIC_IOC_SEND, write() --> result
 *                                  |
 *                 rx_packets, rx_frame_errors, AF_PACKET's own count
 *
 * What the model calls hostile has to be refused with EINVAL, counted in
 * rx_frame_errors, and be seen by nobody behind the device; what it calls benign
 * has to arrive. The model knows the specification and the packets that it is
 * asked about, and nothing of the driver. The same SEED gives the same headers.
 *
 * Exit: 0 as it should be, 1 not (the header is printed), 2 usage or set-up, 4
 * not to be had here.
 */
#include "fd_flow.h"

#define MOST_BATCH	512
#define PACKETS		12
#define ROOM		4096
#define KNOWN_FLAGS	(VIRTIO_NET_HDR_F_NEEDS_CSUM | \
			 VIRTIO_NET_HDR_F_DATA_VALID | 4 | 8)
#define TUNNEL		0x60

enum verdict { BENIGN, HOSTILE, UNSURE };

static const char *const verdicts[] = { "benign", "hostile", "either" };

struct sample {
	struct flow flow;
	unsigned char data[ROOM];
	int len;
	int l4;			/* where the transport header begins */
	int headers;		/* where the payload begins */
};

static struct sample samples[PACKETS];
static struct vnic_packet entries[MOST_BATCH];
static const struct sample *chosen[MOST_BATCH];
static unsigned long long state;
static unsigned long counts[3], refused, accepted;

/* xorshift64*: good enough, and the same everywhere */
static unsigned int next(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL >> 32;
}

static void make_samples(int mode)
{
	static const int payloads[] = { 0, 1, 60, 3000 };
	int i;

	for (i = 0; i < PACKETS; i++) {
		struct sample *s = &samples[i];

		s->flow.mode = mode;
		s->flow.family = i & 1 ? AF_INET6 : AF_INET;
		s->flow.proto = i & 2 ? IPPROTO_TCP : IPPROTO_UDP;
		s->flow.partial = true;
		s->len = flow_build(&s->flow, s->data, payloads[i / 3], i);
		s->l4 = flow_l4(&s->flow);
		s->headers = flow_headers(&s->flow);
	}
}

/* A value for a 16-bit field of a header of this packet */
static __u16 extreme(const struct sample *s)
{
	const int values[] = {
		0, 1, 2, 13, 14, 15, 19, 20, 21, 34, 40, 54, 65,
		s->l4 - 1, s->l4, s->l4 + 1, s->headers - 1, s->headers,
		s->headers + 1, s->len - 3, s->len - 2, s->len - 1, s->len,
		s->len + 1, 6, 16, 0x7fff, 0x8000, 0xff00, 0xfffe, 0xffff,
	};
	unsigned int which = next() % (ARRAY_SIZE(values) + 2);

	return which < ARRAY_SIZE(values) ? values[which] : next();
}

static void generate(const struct sample *s, struct vnic_vnet *vnet)
{
	static const __u8 types[] = { 0, 1, 2, 3, 4, 5, 6, 7, 0x7f, 0x80, 0x81,
				      0x84, 0x85, 0x21, 0x44, 0x61, 0xff };
	unsigned int changes = next() % 5;

	/* True to begin with, in one of three ways */
	switch (next() % 3) {
	case 0:
		memset(vnet, 0, sizeof(*vnet));
		break;
	case 1:
		*vnet = flow_vnet(&s->flow, 0);
		break;
	default:
		*vnet = flow_vnet(&s->flow, 1 + next() % 2000);
		break;
	}
	while (changes--) {
		switch (next() % 6) {
		case 0:
			vnet->flags = next() % 4 ? next() % 4 : next();
			break;
		case 1:
			vnet->gso_type = next() % 8 ?
				types[next() % ARRAY_SIZE(types)] : next();
			break;
		case 2:
			vnet->hdr_len = extreme(s);
			break;
		case 3:
			vnet->gso_size = extreme(s);
			break;
		case 4:
			vnet->csum_start = extreme(s);
			break;
		default:
			vnet->csum_offset = extreme(s);
			break;
		}
	}
}

/* Of a packet with segments to be cut: what says the header of that? */
static enum verdict judge_gso(const struct sample *s,
			      const struct vnic_vnet *vnet)
{
	bool sum = vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	int type = vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
	bool udp = type == VIRTIO_NET_HDR_GSO_UDP_L4;
	int ip = type == VIRTIO_NET_HDR_GSO_TCPV6 ? 40 : 20;
	int header = udp || type == VIRTIO_NET_HDR_GSO_UDP ? 8 : 20;
	int payload = s->len - vnet->csum_start - header;
	bool same = gso_type_of(&s->flow) == type;

	if (vnet->gso_size == 0 || vnet->gso_size == 65535)
		return HOSTILE;
	switch (type) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
	case VIRTIO_NET_HDR_GSO_UDP:
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		break;
	default:
		/* Tunnels: what the kernel can do differs. */
		if (!(type & TUNNEL) || (type & TUNNEL) == TUNNEL ||
		    !sum || !(type & ~TUNNEL) ||
		    (type & ~TUNNEL) == VIRTIO_NET_HDR_GSO_UDP)
			return HOSTILE;
		return UNSURE;
	}
	if (!sum) {
		/* Nobody but the packet says where its headers are. */
		if (udp)
			return HOSTILE;
		if (type == VIRTIO_NET_HDR_GSO_UDP)
			return s->flow.proto == IPPROTO_TCP ? HOSTILE : UNSURE;
		return same ? BENIGN : HOSTILE;
	}
	if (vnet->csum_start < ip || vnet->csum_start + header > s->len)
		return HOSTILE;
	if (type == VIRTIO_NET_HDR_GSO_UDP)
		return UNSURE;
	if (vnet->csum_offset != (udp ? 6 : 16))
		return HOSTILE;
	if (udp) {
		if (vnet->gso_type & VIRTIO_NET_HDR_GSO_ECN)
			return HOSTILE;
		/* 64 segments, 128 in newer kernels */
		if (payload > vnet->gso_size * 128)
			return HOSTILE;
		if (payload > vnet->gso_size * 64)
			return UNSURE;
	}
	return same && vnet->csum_start == s->l4 ? BENIGN : UNSURE;
}

static enum verdict judge(const struct sample *s, const struct vnic_vnet *vnet)
{
	int end = vnet->csum_start + vnet->csum_offset + 2;
	int headers = vnet->hdr_len;

	if (vnet->flags & ~KNOWN_FLAGS)
		return HOSTILE;
	if (headers > s->len)
		return HOSTILE;
	if (vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if (end > s->len || vnet->csum_start < 20)
			return HOSTILE;
		if (end > headers)
			headers = end;
	}
	if (s->flow.mode == IFF_TAP && headers && headers < ETH_HLEN)
		return HOSTILE;
	return vnet->gso_type ? judge_gso(s, vnet) : BENIGN;
}

static void print_header(const struct sample *s, const struct vnic_vnet *v,
			 enum verdict verdict, int result)
{
	printf("%s, but the result was %d:\n", verdicts[verdict], result);
	printf("\tflags %#x gso_type %#x hdr_len %u gso_size %u csum_start %u csum_offset %u\n",
	       v->flags, v->gso_type, v->hdr_len, v->gso_size, v->csum_start,
	       v->csum_offset);
	printf("\tpacket: IPv%d %s, %d bytes, transport header at %d\n",
	       flow_is_6(&s->flow) ? 6 : 4,
	       s->flow.proto == IPPROTO_TCP ? "TCP" : "UDP", s->len, s->l4);
}

/* Is this result one that the model allows? */
static bool allowed(const struct sample *s, const struct vnic_vnet *vnet,
		    int result)
{
	enum verdict verdict = judge(s, vnet);

	counts[verdict]++;
	if (result == 0)
		accepted++;
	else
		refused++;
	if ((result != 0 && result != -EINVAL) ||
	    (verdict == BENIGN && result) || (verdict == HOSTILE && !result)) {
		print_header(s, vnet, verdict, result);
		return false;
	}
	return true;
}

static bool send_batch(int fd, int count)
{
	struct vnic_batch batch = {
		.packets = (unsigned long)entries, .count = count,
	};
	bool good = true;
	int i, done;

	memset(entries, 0, sizeof(entries));
	for (i = 0; i < count; i++) {
		chosen[i] = &samples[next() % PACKETS];
		entries[i].addr = (unsigned long)chosen[i]->data;
		entries[i].len = chosen[i]->len;
		generate(chosen[i], &entries[i].vnet);
	}
	done = neg(ioctl(fd, VNIC_IOC_SEND, &batch));
	if (done != count) {
		printf("VNIC_IOC_SEND: %d of %d\n", done, count);
		return false;
	}
	for (i = 0; i < count; i++)
		good = allowed(chosen[i], &entries[i].vnet,
			       entries[i].result) && good;
	return good;
}

static bool send_by_write(int fd, int count)
{
	static const int sizes[] = { 10, 12, 20, 24 };
	unsigned char zeros[24] = {};
	bool good = true;
	int i, size, result;

	size = sizes[next() % ARRAY_SIZE(sizes)];
	if (set_number(fd, TUNSETVNETHDRSZ, size))
		return false;
	for (i = 0; i < count; i++) {
		const struct sample *s = &samples[next() % PACKETS];
		struct vnic_vnet vnet;
		struct iovec iov[] = {
			{ &vnet, 10 }, { zeros, size - 10 },
			{ (void *)s->data, s->len },
		};

		generate(s, &vnet);
		result = neg(writev(fd, iov, 3));
		if (result == size + s->len)
			result = 0;
		good = allowed(s, &vnet, result) && good;
	}
	return good;
}

/* Packets that a socket of the stack was offered since this was asked last */
static unsigned long offered(int sock)
{
	struct tpacket_stats stats = {};
	socklen_t len = sizeof(stats);

	getsockopt(sock, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
	return stats.tp_packets;
}

static bool counted(const char *what, unsigned long got, unsigned long want)
{
	if (got == want)
		return true;
	printf("%s is %lu, and not %lu\n", what, got, want);
	return false;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 0) : 1000000;
	unsigned long done, seen = 0;
	bool good = true;
	struct link link;
	struct nic nic;
	int mode, sock, result;

	/* This is no test of the harness, of which fd.h takes other things. */
	(void)test_harness_run;
	if (argc < 2 || (strcmp(argv[1], "tun") && strcmp(argv[1], "tap"))) {
		fprintf(stderr, "vnet_fuzz tun|tap [COUNT [SEED]]\n");
		return 2;
	}
	if (in_tree()) {
		printf("in-tree tun lets more in, and has no batches\n");
		return 4;
	}
	mode = !strcmp(argv[1], "tun") ? IFF_TUN : IFF_TAP;
	state = argc > 3 ? strtoull(argv[3], NULL, 0) :
			   (unsigned long long)getpid() << 32 | time(NULL);
	if (!state)
		state = 1;
	printf("%lu headers, seed %#llx\n", count, state);
	fflush(stdout);

	result = namespace_new() ?:
		 nic_open(&nic, "fz0", mode | IFF_NO_PI | IFF_VNET_HDR,
			  O_NONBLOCK) ?: if_up("fz0");
	sock = result ? -1 : packet_socket(nic.index);
	if (sock < 0) {
		fprintf(stderr, "vnet_fuzz: %s\n", strerror(-result ?: -sock));
		return 2;
	}
	make_samples(mode);
	offered(sock);
	/* One in seventeen calls is made of single writes. */
	for (done = 0; good && done < count; ) {
		unsigned long n = count - done;

		if (next() % 17) {
			n = n < MOST_BATCH ? n : MOST_BATCH;
			good = send_batch(nic.fd, n);
		} else {
			n = n < 100 ? n : 100;
			good = send_by_write(nic.fd, n);
		}
		done += n;
		seen += offered(sock);
	}
	link = link_of(&nic);
	/* Nothing that was refused has been seen; all that was not has. */
	good = counted("what AF_PACKET saw", seen, accepted) && good;
	good = counted("rx_packets", link.stats.rx_packets, accepted) && good;
	good = counted("rx_frame_errors", link.stats.rx_frame_errors,
		       refused) && good;
	good = counted("rx_errors", link.stats.rx_errors, refused) && good;
	printf("%lu headers: %lu hostile, %lu benign, %lu either; %lu refused, %lu passed\n",
	       done, counts[HOSTILE], counts[BENIGN], counts[UNSURE], refused,
	       accepted);
	return !good;
}
