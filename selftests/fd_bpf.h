/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs for the kernel's virtual machine, written out by hand: tests need
 * a few instructions each, and neither a compiler nor a library for them.
 */
#ifndef FD_BPF_H
#define FD_BPF_H

#include "fd.h"

#include <linux/bpf.h>
#include <sys/syscall.h>

#define INSN(c, d, s, o, i) ((struct bpf_insn) {			\
	.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOVE(d, s)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOVE_IMM(d, i)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD_IMM(d, i)	INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define LOAD(size, d, s, o) INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE_IMM(size, d, o, i) INSN(BPF_ST | BPF_MEM | (size), d, 0, o, i)
#define JUMP_IMM(op, d, i, o) INSN(BPF_JMP | (op) | BPF_K, d, 0, o, i)
#define JUMP(op, d, s, o) INSN(BPF_JMP | (op) | BPF_X, d, s, o, 0)
#define CALL(function)	INSN(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define EXIT()		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static inline int bpf_load(int type, const struct bpf_insn *insns, int count)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = (unsigned long)insns;
	attr.insn_cnt = count;
	attr.license = (unsigned long)"GPL";
	return neg(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)));
}

/* An fd of a program made of these instructions, or -errno */
#define BPF(type, ...) ({						\
	const struct bpf_insn insns_[] = { __VA_ARGS__ };		\
									\
	bpf_load(type, insns_, ARRAY_SIZE(insns_));			\
})

/* Attaches an XDP program, or none (-1). */
static inline int xdp_attach(int index, int prog, __u32 flags)
{
	struct request r = request_new(RTM_NEWLINK, 0, index);
	struct rtattr *xdp = request_put(&r, IFLA_XDP | NLA_F_NESTED, NULL, 0);

	request_put(&r, IFLA_XDP_FD, &prog, sizeof(prog));
	request_put(&r, IFLA_XDP_FLAGS, &flags, sizeof(flags));
	request_end(&r, xdp);
	return request_do(&r);
}

#endif
