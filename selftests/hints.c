// SPDX-License-Identifier: GPL-2.0
/*
 * hints - what an XDP program is told about a packet beside its bytes.
 *
 *   hints NETNS DEV PROTOCOL
 *
 * Puts a program in front of the interface that asks for all hints of IPv4
 * packets of this protocol and passes every packet. Says "ready", waits for the
 * first of these packets, prints what the program was told of it, and takes the
 * program away again:
 *
 *   hash l4|other|none|-ERRNO time now|NANOSECONDS|-ERRNO vlan PROTOCOL:TCI|-ERRNO
 *
 * "none" is a hash of 0, "now" a time since "ready" was said. Exit: 0, 1 no such
 * packet, or the kernel refused; 4 this kernel has no hints.
 */
#include "helper.h"
#include "bpf.h"

#include <stddef.h>

#include <linux/btf.h>

#ifndef BPF_F_XDP_DEV_BOUND_ONLY
#define BPF_F_XDP_DEV_BOUND_ONLY	0x40
#endif

#define R0 BPF_REG_0
#define R1 BPF_REG_1
#define R2 BPF_REG_2
#define R3 BPF_REG_3
#define R4 BPF_REG_4
#define R6 BPF_REG_6
#define R7 BPF_REG_7
#define R8 BPF_REG_8
#define R9 BPF_REG_9
#define FP BPF_REG_10

/* A function of the kernel's, by its number in the kernel's BTF */
#define KFUNC(id) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, id)

struct told {
	__u64 packets;
	__u64 time;
	__u32 hash, hash_type;
	__u16 vlan_proto, vlan_tci;
	__s32 time_result, hash_result, vlan_result;
};

/* Where the program keeps these until it has found the map */
#define ON_STACK(member) (-(int)sizeof(struct told) + (int)offsetof(struct told, member))

static unsigned char *btf;

static void read_btf(void)
{
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	size_t have = 0, room = 64 << 20;
	ssize_t got;

	if (fd < 0) {
		puts("this kernel has no BTF");
		exit(4);
	}
	btf = malloc(room);
	if (!btf)
		die("malloc");
	while ((got = read(fd, btf + have, room - have)) > 0)
		have += got;
	close(fd);
}

/* Bytes behind a type of this kind */
static size_t behind(unsigned int kind, unsigned int vlen)
{
	switch (kind) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case BTF_KIND_ENUM64:
		return 12 * vlen;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return 8 * vlen;
	default:
		return 0;
	}
}

/* The number of a function of the kernel's, or the end of it all */
static int kfunc(const char *name)
{
	const struct btf_header *header = (void *)btf;
	const unsigned char *types = btf + header->hdr_len + header->type_off;
	const char *names = (char *)btf + header->hdr_len + header->str_off;
	size_t at = 0;
	int id = 1;

	for (; at < header->type_len; id++) {
		const struct btf_type *type = (void *)(types + at);
		unsigned int kind = BTF_INFO_KIND(type->info);

		if (kind == BTF_KIND_FUNC && !strcmp(names + type->name_off, name))
			return id;
		at += sizeof(*type) + behind(kind, BTF_INFO_VLEN(type->info));
	}
	printf("this kernel has no %s\n", name);
	exit(4);
}

static int load(int map, int index, int protocol)
{
	const struct bpf_insn insns[] = {
		MOVE(R6, R1),
		/* Other packets are passed without a question. */
		LOAD(BPF_W, R2, R6, offsetof(struct xdp_md, data)),
		LOAD(BPF_W, R3, R6, offsetof(struct xdp_md, data_end)),
		MOVE(R4, R2),
		ADD_IMM(R4, 34),
		JUMP(BPF_JGT, R4, R3, 4),
		LOAD(BPF_H, R4, R2, 12),
		JUMP_IMM(BPF_JNE, R4, htons(ETH_P_IP), 2),
		LOAD(BPF_B, R4, R2, 23),
		JUMP_IMM(BPF_JEQ, R4, protocol, 2),
		MOVE_IMM(R0, XDP_PASS),
		EXIT(),
		STORE_IMM(BPF_DW, FP, ON_STACK(time), 0),
		STORE_IMM(BPF_DW, FP, ON_STACK(hash), 0),
		STORE_IMM(BPF_W, FP, ON_STACK(vlan_proto), 0),
		MOVE(R1, R6),
		MOVE(R2, FP),
		ADD_IMM(R2, ON_STACK(time)),
		KFUNC(kfunc("bpf_xdp_metadata_rx_timestamp")),
		MOVE(R7, R0),
		MOVE(R1, R6),
		MOVE(R2, FP),
		ADD_IMM(R2, ON_STACK(hash)),
		MOVE(R3, FP),
		ADD_IMM(R3, ON_STACK(hash_type)),
		KFUNC(kfunc("bpf_xdp_metadata_rx_hash")),
		MOVE(R8, R0),
		MOVE(R1, R6),
		MOVE(R2, FP),
		ADD_IMM(R2, ON_STACK(vlan_proto)),
		MOVE(R3, FP),
		ADD_IMM(R3, ON_STACK(vlan_tci)),
		KFUNC(kfunc("bpf_xdp_metadata_rx_vlan_tag")),
		MOVE(R9, R0),
		STORE_IMM(BPF_W, FP, ON_STACK(packets), 0),
		LOAD_MAP(R1, map),
		LOAD_MAP_END(),
		MOVE(R2, FP),
		ADD_IMM(R2, ON_STACK(packets)),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_IMM(BPF_JNE, R0, 0, 2),
		MOVE_IMM(R0, XDP_ABORTED),
		EXIT(),
		/* The first one is what is told of. */
		LOAD(BPF_DW, R1, R0, offsetof(struct told, packets)),
		JUMP_IMM(BPF_JNE, R1, 0, 11),
		LOAD(BPF_DW, R1, FP, ON_STACK(time)),
		STORE(BPF_DW, R0, offsetof(struct told, time), R1),
		LOAD(BPF_DW, R1, FP, ON_STACK(hash)),
		STORE(BPF_DW, R0, offsetof(struct told, hash), R1),
		LOAD(BPF_W, R1, FP, ON_STACK(vlan_proto)),
		STORE(BPF_W, R0, offsetof(struct told, vlan_proto), R1),
		STORE(BPF_W, R0, offsetof(struct told, time_result), R7),
		STORE(BPF_W, R0, offsetof(struct told, hash_result), R8),
		STORE(BPF_W, R0, offsetof(struct told, vlan_result), R9),
		MOVE_IMM(R1, 1),
		ATOMIC_ADD(R0, offsetof(struct told, packets), R1),
		MOVE_IMM(R0, XDP_PASS),
		EXIT(),
	};
	static char log[1 << 20];
	int fd;

	fd = bpf_load_for(BPF_PROG_TYPE_XDP, insns, ARRAY_SIZE(insns),
			  BPF_F_XDP_DEV_BOUND_ONLY, index);
	if (fd < 0) {
		bpf_load_log(BPF_PROG_TYPE_XDP, insns, ARRAY_SIZE(insns),
			     BPF_F_XDP_DEV_BOUND_ONLY, index, log, sizeof(log));
		fprintf(stderr, "%sload: %s\n", log, strerror(-fd));
		exit(1);
	}
	return fd;
}

/* In front of the interface as long as the fd is open */
static int attach(int prog, int index)
{
	union bpf_attr attr;
	int link;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = prog;
	attr.link_create.target_ifindex = index;
	attr.link_create.attach_type = BPF_XDP;
	link = bpf_do(BPF_LINK_CREATE, &attr);
	if (link < 0) {
		fprintf(stderr, "attach: %s\n", strerror(-link));
		exit(1);
	}
	return link;
}

static struct told look(int map)
{
	struct told told;
	union bpf_attr attr;
	__u32 key = 0;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (unsigned long)&key;
	attr.value = (unsigned long)&told;
	if (bpf_do(BPF_MAP_LOOKUP_ELEM, &attr) < 0)
		die("map");
	return told;
}

static __u64 now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	return at.tv_sec * 1000000000ULL + at.tv_nsec;
}

static void tell(const struct told *told, __u64 since)
{
	if (told->hash_result)
		printf("hash -%s", strerrorname_np(-told->hash_result));
	else if (!told->hash)
		printf("hash none");
	else	/* XDP_RSS_L4 */
		printf("hash %s", told->hash_type & 8 ? "l4" : "other");

	if (told->time_result)
		printf(" time -%s", strerrorname_np(-told->time_result));
	else if (told->time >= since && told->time <= now())
		printf(" time now");
	else
		printf(" time %llu", told->time);

	if (told->vlan_result)
		printf(" vlan -%s\n", strerrorname_np(-told->vlan_result));
	else
		printf(" vlan %04x:%u\n", ntohs(told->vlan_proto),
		       told->vlan_tci);
}

int main(int argc, char **argv)
{
	int map, prog, link, index;
	struct told told;
	long give_up;
	__u64 since;

	if (argc != 4) {
		fprintf(stderr, "usage: hints NETNS DEV PROTOCOL\n");
		return 2;
	}
	read_btf();
	enter(argv[1]);
	index = if_nametoindex(argv[2]);
	if (!index)
		die(argv[2]);
	map = bpf_map(BPF_MAP_TYPE_ARRAY, sizeof(told), 1);
	if (map < 0)
		die("map");
	prog = load(map, index, atoi(argv[3]));
	link = attach(prog, index);
	since = now();
	puts("ready");
	fflush(stdout);
	give_up = milliseconds() + PATIENCE;
	for (told = look(map); !told.packets; told = look(map)) {
		if (milliseconds() > give_up) {
			fprintf(stderr, "no such packet came\n");
			return 1;
		}
		poll(NULL, 0, 20);
	}
	tell(&told, since);
	close(link);
	return 0;
}
