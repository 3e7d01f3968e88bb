// SPDX-License-Identifier: GPL-2.0
/*
 * dummy and vndummy: packets of the generator, each its own, and pktgen's, which
 * are one packet again and again.
 */
#include "bench.h"

#include <stdarg.h>

#define PKTGEN		"/proc/net/pktgen"

static void dummy_open(struct run *run)
{
	static const unsigned char to[] = { 2, 0, 0, 0, 0, 9 };
	unsigned char mac[ETH_ALEN];

	snprintf(run->dev, sizeof(run->dev), "%s0",
		 side_name(run));
	link_new(run->side == OURS ? "vndummy" : "dummy", run->dev, NULL);
	run->index = index_of(run->dev);
	shell("ip link set dev %s up", run->dev);
	mac_of(run->dev, mac);
	make_frame(run, to, mac, 1, 2);
}

static void dummy_close(struct run *run)
{
	link_delete(run->index);
}

static void sent_check(struct run *run, struct arrivals before)
{
	struct arrivals after = arrivals_now(near_ns, run->index);

	if (after.stats.tx_packets - before.stats.tx_packets !=
	    run->work->count)
		give_up("%s has not sent %u packets", run->dev,
			run->work->count);
}

static void dummy_round(struct run *run)
{
	struct arrivals before = arrivals_now(near_ns, run->index);
	unsigned int i;

	for (i = 0; i < run->work->count; i += CHUNK)
		generate(run, run->work->mode, CHUNK, run->work->batch);
	sent_check(run, before);
}

static void pktgen_say(const char *file, const char *format, ...)
{
	char path[64], text[64];
	va_list args;
	int fd, len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(path, sizeof(path), PKTGEN "/%s", file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, len) != len)
		die(path);
	close(fd);
}

/* One thread of pktgen sends by what it has been given: by both, in turns. */
static void pktgen_round(struct run *run)
{
	struct arrivals before = arrivals_now(near_ns, run->index);
	char path[64], line[256];
	unsigned long us = 0;
	FILE *file;

	pktgen_say("kpktgend_0", "add_device %s\n", run->dev);
	pktgen_say(run->dev, "count %u\n", run->work->count);
	pktgen_say(run->dev, "clone_skb %u\n", run->work->count);
	pktgen_say(run->dev, "burst %u\n", run->work->batch);
	pktgen_say(run->dev, "pkt_size %u\n", run->work->size);
	pktgen_say(run->dev, "delay 0\n");
	pktgen_say(run->dev, "dst_mac 02:00:00:00:00:09\n");
	pktgen_say("pgctrl", "start\n");
	snprintf(path, sizeof(path), PKTGEN "/%s", run->dev);
	file = fopen(path, "re");
	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "Result: OK: %*u(c%lu+", &us);
	fclose(file);
	if (!us)
		give_up("%s: pktgen has no result", run->dev);
	run->ns += us * 1000;
	sent_check(run, before);
	pktgen_say("kpktgend_0", "rem_device_all\n");
}

#define DUMMY(n, m) {							\
	.name = n, .count = 1024, .open = dummy_open,			\
	.round = dummy_round, .close = dummy_close, .size = SMALL,	\
	.batch = BATCH, .mode = m }
#define CLONES(n, b) {							\
	.name = n, .count = 20480, .open = dummy_open,			\
	.round = pktgen_round, .close = dummy_close, .size = SMALL,	\
	.batch = b }

const struct workload dummy_workloads[] = {
	DUMMY("dummy-queue", BENCH_SINGLE),
	DUMMY("dummy-start", BENCH_START),
	CLONES("dummy-clones", 1),
	CLONES("dummy-clones-32", 32),
	{ }
};
