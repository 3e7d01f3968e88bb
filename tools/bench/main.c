// SPDX-License-Identifier: GPL-2.0
/*
 * bench - what a packet costs, on the in-tree drivers and on ours
 *
 *   bench [--wall] [--rounds N] [--out FILE] [WORKLOAD]...
 *
 * WORKLOAD may have * and ? in it; without any, all of them are run. Each line
 * of FILE (or of standard output) is a round: "result NAME peer|ours PACKETS NS
 * PART", where PART of the time was the generator's.
 *
 * Made for a machine whose clock counts instructions, one a nanosecond, which is
 * checked first; --wall takes any other clock.
 *
 * Exit: 0, or 2 if there is no result.
 */
#include "bench.h"

#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define WARM_UP		2

bool wall;
int near_ns, far_ns;

static int generator;

noreturn void give_up(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

void *allocate(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		die("memory");
	return memory;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

/*
 * With two processors, who sends and who receives have one each. With one, the
 * clock jumps over idle time, which is no instructions.
 */
void pin(bool far)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(far ? cpus - 1 : 0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static uint64_t idle_time(void)
{
	__u64 idle = 0;

	if (!wall && ioctl(generator, BENCH_IDLE, &idle))
		die("BENCH_IDLE");
	return idle;
}

void clock_start(struct run *run)
{
	run->idle = idle_time();
	run->started = now();
	bench_mark(run->mark);
}

void clock_stop(struct run *run)
{
	uint64_t end;

	bench_mark(BENCH_MARK_NONE);
	end = now();
	run->ns += end - run->started - (idle_time() - run->idle);
}

/* Packets from the kernel by this device; what they cost goes to the clock. */
void generate(struct run *run, enum bench_mode mode, unsigned int count,
	      unsigned int burst)
{
	struct bench_xmit xmit = {
		.frame = (uintptr_t)run->frame, .len = run->len,
		.ifindex = run->index, .count = count, .burst = burst,
		.mode = mode, .mark = run->mark,
	};

	if (ioctl(generator, BENCH_XMIT, &xmit))
		die("BENCH_XMIT");
	if (xmit.refused)
		give_up("%s: %u packets were refused", run->dev, xmit.refused);
	run->ns += xmit.ns;
	run->generated += xmit.ns;
}

/* The function never returns; child_stop() ends it. */
void child_start(struct run *run, void (*function)(struct run *run))
{
	run->shared = mmap(NULL, sizeof(*run->shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run->shared == MAP_FAILED)
		die("mmap");
	run->child = fork();
	if (run->child < 0)
		die("fork");
	if (run->child)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin(true);
	function(run);
	_exit(2);
}

uint64_t received(struct run *run)
{
	return __atomic_load_n(&run->shared->received, __ATOMIC_ACQUIRE);
}

/* By the child alone */
void received_add(struct run *run, uint64_t count)
{
	__atomic_store_n(&run->shared->received, received(run) + count,
			 __ATOMIC_RELEASE);
}

void child_stop(struct run *run)
{
	kill(run->child, SIGKILL);
	waitpid(run->child, NULL, 0);
	munmap(run->shared, sizeof(*run->shared));
}

/* What was left to do by and by, and is nobody's, is done now. */
static void settle(void)
{
	usleep(20000);
}

static void check_clock(void)
{
	const uint64_t loops = 5000000;
	uint64_t left = loops, start, ns;

	settle();
	start = now();
	__asm__ volatile("1:	dec	%0\n\t"
			 "jnz	1b"
			 : "+r" (left) : : "cc");
	ns = now() - start;
	/* The timer's interrupts are in it. */
	if (ns < 2 * loops || ns > 2 * loops * 102 / 100)
		give_up("%llu ns for %llu instructions: say --wall, or use tools/bench/run",
			(unsigned long long)ns, (unsigned long long)(2 * loops));
}

static void one_round(struct run *run, FILE *out)
{
	settle();
	run->ns = 0;
	run->generated = 0;
	run->mark = out ? (enum bench_mark)run->side : BENCH_MARK_NONE;
	run->work->round(run);
	if (out)
		fprintf(out, "result %s %s %u %llu %llu\n", run->work->name,
			side_name(run), run->work->count,
			(unsigned long long)run->ns,
			(unsigned long long)run->generated);
}

static void measure(const struct workload *work, unsigned int rounds, FILE *out)
{
	struct run runs[2] = {};
	unsigned int i, side;

	fprintf(stderr, "bench: %s\n", work->name);
	if (work->rounds && rounds > work->rounds)
		rounds = work->rounds;
	if (!wall && rounds < work->least)
		rounds = work->least;
	for (side = PEER; side <= OURS; side++) {
		runs[side].work = work;
		runs[side].side = side;
		work->open(&runs[side]);
	}
	for (i = 0; i < (work->rounds ? 1 : WARM_UP); i++)
		for (side = PEER; side <= OURS; side++)
			one_round(&runs[side], NULL);
	/* In turns, so that each follows on the other. */
	for (i = 0; i < rounds; i++)
		for (side = PEER; side <= OURS; side++)
			one_round(&runs[side], out);
	for (side = PEER; side <= OURS; side++) {
		work->close(&runs[side]);
		free(runs[side].frame);
		free(runs[side].data);
	}
	fflush(out);
}

static bool wanted(const char *name, char **patterns)
{
	if (!*patterns)
		return true;
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, name, 0))
			return true;
	return false;
}

static void prepare(void)
{
	struct rlimit files = { 8192, 8192 };

	if (setrlimit(RLIMIT_NOFILE, &files))
		die("RLIMIT_NOFILE");
	generator = open("/sys/kernel/debug/vnic_bench", O_RDWR | O_CLOEXEC);
	if (generator < 0)
		die("/sys/kernel/debug/vnic_bench");
	/* Two namespaces of its own; they go when it ends. */
	if (unshare(CLONE_NEWNET))
		die("unshare");
	shell("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
	far_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNET))
		die("unshare");
	shell("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
	near_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (far_ns < 0 || near_ns < 0)
		die("/proc/self/ns/net");
	pin(false);
}

int main(int argc, char **argv)
{
	static const struct workload *const tables[] = {
		fd_workloads, uring_workloads, vhost_workloads,
		pair_workloads, rival_workloads, dummy_workloads,
		link_workloads, memory_workloads,
	};
	static const struct option options[] = {
		{ "wall", no_argument, NULL, 'w' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "out", required_argument, NULL, 'o' },
		{ "list", no_argument, NULL, 'l' },
		{ }
	};
	const struct workload *work;
	unsigned int i, rounds = 7, done = 0;
	bool list = false;
	FILE *out = stdout;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'w':
			wall = true;
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		case 'o':
			out = fopen(optarg, "we");
			if (!out)
				die(optarg);
			break;
		case 'l':
			list = true;
			break;
		default:
			give_up("the comment in its source has the options");
		}
	}
	if (!list) {
		prepare();
		if (!wall)
			check_clock();
	}
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		for (work = tables[i]; work->name; work++) {
			if (!wanted(work->name, argv + optind))
				continue;
			if (list)
				puts(work->name);
			else
				measure(work, rounds, out);
			done++;
		}
	}
	if (!done)
		give_up("there is no such workload");
	return 0;
}
