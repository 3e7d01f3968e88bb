// SPDX-License-Identifier: GPL-2.0
/*
 * cover - which edges of the module did this thread pass?
 *
 * KCOV of the kernel, or where the kernel has none the module vnic_trace beside
 * this file, which speaks the same language. Only what lies in the module
 * counts; an edge is two program counters that follow each other.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/kcov.h>

#include "fuzz.h"

#define COVER_SIZE	(128 << 10)	/* program counters of a thread */
/* What vnic_trace takes away from what softirqs pass. */
#define COVER_TASK	0x8000000000000000ULL

static const char *cover_path;
static __u64 cover_start, cover_end;
/* What tells the two apart; in user-mode Linux, where KCOV does not trace
 * softirqs, kernel addresses have not that bit.
 */
static __u64 cover_task;

/**
 * cover_find() - is there coverage on this kernel, and where is our module?
 *
 * Return: whether there is.
 */
bool cover_find(void)
{
	static const char *const paths[] = {
		"/sys/kernel/debug/vnic_trace", "/sys/kernel/debug/kcov",
	};
	unsigned long long size, start;
	char line[256], name[64];
	unsigned int i;
	FILE *modules;

	for (i = 0; i < COUNT_OF(paths) && !cover_path; i++)
		if (access(paths[i], R_OK | W_OK) == 0)
			cover_path = paths[i];
	if (!cover_path)
		return false;
	modules = fopen("/proc/modules", "re");
	while (modules && fgets(line, sizeof(line), modules)) {
		if (sscanf(line, "%63s %llu %*s %*s %*s %llx", name, &size,
			   &start) == 3 && strcmp(name, "vnic") == 0) {
			cover_start = start;
			cover_end = start + size;
		}
	}
	if (modules)
		fclose(modules);
	cover_task = cover_start & COVER_TASK;
	return cover_start;
}

/**
 * cover_open() - get memory for a thread's trace
 * @cover: written here
 *
 * Return: whether it could be had.
 */
bool cover_open(struct cover *cover)
{
	cover->fd = open(cover_path, O_RDWR | O_CLOEXEC);
	if (cover->fd < 0 || ioctl(cover->fd, KCOV_INIT_TRACE, COVER_SIZE))
		return false;
	cover->area = mmap(NULL, COVER_SIZE * sizeof(*cover->area),
			   PROT_READ | PROT_WRITE, MAP_SHARED, cover->fd, 0);
	if (cover->area == MAP_FAILED)
		return false;
	madvise(cover->area, COVER_SIZE * sizeof(*cover->area), MADV_DONTFORK);
	return true;
}

/**
 * cover_enable() - trace the calling thread from now on
 * @cover: its memory
 */
void cover_enable(struct cover *cover)
{
	if (ioctl(cover->fd, KCOV_ENABLE, KCOV_TRACE_PC)) {
		perror("fuzz: KCOV_ENABLE");
		_exit(2);
	}
}

/**
 * cover_reset() - forget what was passed
 * @cover: the thread's memory
 */
void cover_reset(struct cover *cover)
{
	__atomic_store_n(cover->area, 0, __ATOMIC_RELAXED);
}

/**
 * cover_collect() - which edges were passed for the first time?
 * @cover: the thread's memory; it runs nothing at the moment
 *
 * Return: how many.
 */
unsigned int cover_collect(const struct cover *cover)
{
	__u64 n = __atomic_load_n(cover->area, __ATOMIC_RELAXED), i, pc, edge;
	unsigned int found = 0;
	__u64 last = 0;

	for (i = 1; i <= n && i < COVER_SIZE; i++) {
		pc = cover->area[i] | cover_task;
		if (pc < cover_start || pc >= cover_end)
			continue;
		/* From the start of the module: it lies elsewhere each time. */
		pc -= cover_start;
		if (pc < FUZZ_TEXT)
			state->passed[pc / FUZZ_GRAIN] = 1;
		edge = pc * 0x9e3779b1;
		/* A softirq comes in between anywhere: its place alone. */
		if (!cover_task || cover->area[i] & COVER_TASK) {
			edge ^= last * 0x85ebca6b;
			last = pc;
		}
		edge = (edge ^ (edge >> 16)) % FUZZ_EDGES;
		found += !state->seen[edge];
		state->seen[edge] = 1;
	}
	return found;
}

static bool passed(__u64 from, __u64 to)
{
	__u64 at;

	for (at = from / FUZZ_GRAIN; at <= to / FUZZ_GRAIN; at++)
		if (at < sizeof(state->passed) && state->passed[at])
			return true;
	return false;
}

struct symbol {
	__u64	at;
	char	name[64];
};

static int compare(const void *one, const void *other)
{
	const struct symbol *a = one, *b = other;

	return a->at < b->at ? -1 : a->at > b->at;
}

/* Functions of the module, in order; returns how many. */
static unsigned int read_symbols(struct symbol *symbols, unsigned int most)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	unsigned long long at;
	unsigned int n = 0;
	char line[512], type;

	while (file && n < most && fgets(line, sizeof(line), file)) {
		if (!strstr(line, "[vnic]") ||
		    sscanf(line, "%llx %c %63s", &at, &type,
			   symbols[n].name) != 3 || (type | 0x20) != 't')
			continue;
		symbols[n++].at = at - cover_start;
	}
	if (file)
		fclose(file);
	qsort(symbols, n, sizeof(*symbols), compare);
	return n;
}

/**
 * cover_missed() - say which functions of the module were never entered
 */
void cover_missed(void)
{
	static struct symbol symbols[2000];
	unsigned int n = read_symbols(symbols, COUNT_OF(symbols)), i, missed = 0;
	unsigned int ours = 0;
	__u64 end;

	for (i = 0; i < n; i++) {
		/* The compiler's, which gcov has called at load and unload */
		if (!strncmp(symbols[i].name, "_sub_", strlen("_sub_")))
			continue;
		ours++;
		end = i + 1 < n ? symbols[i + 1].at - FUZZ_GRAIN :
				  cover_end - cover_start;
		if (symbols[i].at >= cover_end - cover_start ||
		    passed(symbols[i].at, end))
			continue;
		printf("%s%s", missed++ ? " " : "fuzz: never entered: ",
		       symbols[i].name);
	}
	printf("%sfuzz: %u of %u functions were entered\n",
	       missed ? "\n" : "", ours - missed, ours);
}
