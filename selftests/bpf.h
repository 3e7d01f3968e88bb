/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs for the kernel's virtual machine, written out by hand: tests need
 * a few instructions each, and neither a compiler nor a library for them.
 */
#ifndef VNIC_BPF_H
#define VNIC_BPF_H

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#define INSN(c, d, s, o, i) ((struct bpf_insn) {			\
	.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOVE(d, s)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOVE_IMM(d, i)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD(d, s)	INSN(BPF_ALU64 | BPF_ADD | BPF_X, d, s, 0, 0)
#define ADD_IMM(d, i)	INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define LOAD(size, d, s, o) INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(size, d, o, s) INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define STORE_IMM(size, d, o, i) INSN(BPF_ST | BPF_MEM | (size), d, 0, o, i)
#define JUMP_IMM(op, d, i, o) INSN(BPF_JMP | (op) | BPF_K, d, 0, o, i)
#define JUMP(op, d, s, o) INSN(BPF_JMP | (op) | BPF_X, d, s, o, 0)
#define ATOMIC_ADD(d, o, s) INSN(BPF_STX | BPF_ATOMIC | BPF_DW, d, s, o, BPF_ADD)
#define CALL(function)	INSN(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define EXIT()		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* A register becomes a map: the first half and the second half of that. */
#define LOAD_MAP(d, fd)							\
	INSN(BPF_LD | BPF_DW | BPF_IMM, d, BPF_PSEUDO_MAP_FD, 0, fd)
#define LOAD_MAP_END()	INSN(0, 0, 0, 0, 0)

/* An fd, another result, or -errno */
static inline int bpf_do(int command, union bpf_attr *attr)
{
	int result = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return result < 0 ? -errno : result;
}

/*
 * @index: of the interface that the program is for; 0: for any
 * @log: NULL, or what the verifier says is written there (@size: bytes)
 */
static inline int bpf_load_log(int type, const struct bpf_insn *insns,
			       int count, __u32 flags, int index, char *log,
			       unsigned int size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = (unsigned long)insns;
	attr.insn_cnt = count;
	attr.license = (unsigned long)"GPL";
	attr.prog_flags = flags;
	attr.prog_ifindex = index;
	attr.log_buf = (unsigned long)log;
	attr.log_size = size;
	attr.log_level = !!log;
	return bpf_do(BPF_PROG_LOAD, &attr);
}

static inline int bpf_load_for(int type, const struct bpf_insn *insns,
			       int count, __u32 flags, int index)
{
	return bpf_load_log(type, insns, count, flags, index, NULL, 0);
}

static inline int bpf_load(int type, const struct bpf_insn *insns, int count)
{
	return bpf_load_for(type, insns, count, 0, 0);
}

/* An fd of a program made of these instructions, or -errno */
#define BPF(type, ...) ({						\
	const struct bpf_insn insns_[] = { __VA_ARGS__ };		\
									\
	bpf_load(type, insns_, ARRAY_SIZE(insns_));			\
})

/* A map with keys of four bytes */
static inline int bpf_map(int type, int value_size, int entries)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = 4;
	attr.value_size = value_size;
	attr.max_entries = entries;
	return bpf_do(BPF_MAP_CREATE, &attr);
}

static inline int bpf_map_set(int map, __u32 key, const void *value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (unsigned long)&key;
	attr.value = (unsigned long)value;
	return bpf_do(BPF_MAP_UPDATE_ELEM, &attr);
}

#endif
