// SPDX-License-Identifier: GPL-2.0
/*
 * plugin - for QEMU: which instructions a guest has run, between two marks
 *
 * A mark is an instruction that does nothing and carries a number (vnic_bench.h). Each
 * block of instructions that QEMU translates has a counter; at the first mark of
 * a side the counters are remembered, at the end what has been added is that
 * side's. tools/bench/profile makes functions of the addresses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

#define EXPORT		__attribute__((visibility("default")))
#define BLOCKS_MAX	1000000
#define SIDES		2

EXPORT int qemu_plugin_version = 1;

struct block {
	uint64_t	address, runs, before, sides[SIDES];
};

static struct block *blocks;
static size_t nr_blocks;
static int running = -1;
static const char *file;

/* nopl MARK(%rax), where MARK is 0x7e57be00 and the number */
static int mark_of(const struct qemu_plugin_insn *insn)
{
	static const unsigned char code[] = { 0x0f, 0x1f, 0x80 };
	static const unsigned char rest[] = { 0xbe, 0x57, 0x7e };
	const unsigned char *data = qemu_plugin_insn_data(insn);

	if (qemu_plugin_insn_size(insn) != 7 || memcmp(data, code, 3) ||
	    memcmp(data + 4, rest, 3))
		return -1;
	return data[3];
}

/* 0 and 1 start a side, anything else is the end. */
static void marked(unsigned int cpu, void *data)
{
	int mark = (int)(intptr_t)data;
	size_t i;

	(void)cpu;
	if (running >= 0)
		for (i = 0; i < nr_blocks; i++)
			blocks[i].sides[running] += blocks[i].runs -
						    blocks[i].before;
	running = mark < SIDES ? mark : -1;
	for (i = 0; i < nr_blocks; i++)
		blocks[i].before = blocks[i].runs;
}

/*
 * By the instruction: what "rep" repeats counts each time, as it does for the
 * clock.
 */
static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *insn;
	int mark;

	(void)id;
	for (i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		mark = mark_of(insn);
		if (mark >= 0)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, marked,
							       NO_REGISTERS,
							       (void *)(intptr_t)mark);
	}
	if (nr_blocks == BLOCKS_MAX)
		return;
	blocks[nr_blocks].address = qemu_plugin_tb_vaddr(tb);
	for (i = 0; i < n; i++)
		qemu_plugin_register_vcpu_insn_exec_inline(qemu_plugin_tb_get_insn(tb, i),
							   OP_ADD,
							   &blocks[nr_blocks].runs,
							   1);
	nr_blocks++;
}

static void ended(uint64_t id, void *data)
{
	FILE *out = fopen(file, "w");
	struct block *block;

	(void)id;
	(void)data;
	if (!out) {
		perror(file);
		return;
	}
	if (nr_blocks == BLOCKS_MAX)
		fputs("full\n", out);
	for (block = blocks; block < blocks + nr_blocks; block++)
		if (block->sides[0] || block->sides[1])
			fprintf(out, "%llx %llu %llu\n",
				(unsigned long long)block->address,
				(unsigned long long)block->sides[0],
				(unsigned long long)block->sides[1]);
	fclose(out);
}

struct qemu_info;

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info,
			       int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4))
		return -1;
	file = strdup(argv[0] + 4);
	blocks = calloc(BLOCKS_MAX, sizeof(*blocks));
	if (!file || !blocks)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
