// SPDX-License-Identifier: GPL-2.0
/*
 * redirect - a program for tc that sends packets elsewhere.
 *
 *   redirect IFINDEX PATH [peer|egress|ingress]
 *
 * peer: past this interface's end of a pair, straight into its peer's namespace
 * (bpf_redirect_peer; this is what it does without a word). egress: this
 * interface sends them. ingress: it has received them.
 *
 * Loads it and pins it at PATH, for `tc filter ... bpf da object-pinned`.
 * By hand, since three instructions do not need a compiler for BPF.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

int main(int argc, char **argv)
{
	struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_peer },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const char *way = argc == 4 ? argv[3] : "peer";
	union bpf_attr attr;
	int fd;

	if (argc < 3 || argc > 4 || (strcmp(way, "peer") &&
				     strcmp(way, "egress") &&
				     strcmp(way, "ingress"))) {
		fputs("usage: redirect IFINDEX PATH [peer|egress|ingress]\n",
		      stderr);
		return 2;
	}
	program[0].imm = atoi(argv[1]);
	if (strcmp(way, "peer"))
		program[2].imm = BPF_FUNC_redirect;
	if (!strcmp(way, "ingress"))
		program[1].imm = BPF_F_INGRESS;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = ARRAY_SIZE(program);
	attr.license = (uintptr_t)"GPL";
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0) {
		perror("BPF_PROG_LOAD");
		return 1;
	}

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)argv[2];
	attr.bpf_fd = fd;
	if (syscall(SYS_bpf, BPF_OBJ_PIN, &attr, sizeof(attr))) {
		perror(argv[2]);
		return 1;
	}
	return 0;
}
