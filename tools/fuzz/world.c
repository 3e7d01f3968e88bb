// SPDX-License-Identifier: GPL-2.0
/*
 * world - three namespaces, eight fds, eight names of links, four threads
 *
 *	input --> thread 0..3 --> the same tables --> /dev/vnic, rtnetlink
 *
 * Each thread does its operations of the input in their order; what the others
 * do at that time is up to the scheduler. A call that sleeps is woken by a
 * signal.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

/* Milliseconds from one look at the threads to the next; to a signal at last */
#define STEP	3
#define WAKE	60

int world_spaces[FUZZ_SPACES];
atomic_int world_fds[FUZZ_FDS];

static struct worker workers[FUZZ_THREADS];
static pthread_t threads[FUZZ_THREADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t go = PTHREAD_COND_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static const struct input *current;
static unsigned int generation, left;
static bool busy[FUZZ_THREADS];
static pid_t tids[FUZZ_THREADS];

/**
 * op_kind() - what an operation does
 * @op: the operation
 *
 * Return: its name, and the function.
 */
const struct op_kind *op_kind(const struct op *op)
{
	unsigned int code = op->code % (file_op_count + link_op_count);

	return code < file_op_count ? &file_ops[code] :
				      &link_ops[code - file_op_count];
}

static void run_op(struct worker *worker, const struct op *op)
{
	long result;

	worker->rng = rng_seeded(op->y + ((__u64)op->code << 32));
	result = op_kind(op)->run(worker, op);
	worker->calls++;
	worker->good += result >= 0;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	unsigned int seen = 0, i;
	const struct input *input;

	tids[worker->id] = gettid();
	if (state->guided)
		cover_enable(&worker->cover);
	for (;;) {
		pthread_mutex_lock(&lock);
		while (generation == seen)
			pthread_cond_wait(&go, &lock);
		seen = generation;
		input = current;
		pthread_mutex_unlock(&lock);
		if (!input)
			return NULL;
		for (i = 0; i < input->count; i++)
			if (input->ops[i].who % FUZZ_THREADS == worker->id)
				run_op(worker, &input->ops[i]);
		pthread_mutex_lock(&lock);
		busy[worker->id] = false;
		if (!--left)
			pthread_cond_signal(&done);
		pthread_mutex_unlock(&lock);
	}
}

static void woken(int number)
{
}

/* The last page of @room cannot be reached: what lies before it ends there. */
static void worker_room(struct worker *worker, unsigned char *shared)
{
	unsigned char *room;

	room = mmap(NULL, FUZZ_ROOM + 8192, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (room == MAP_FAILED || mprotect(room + FUZZ_ROOM + 4096, 4096,
					   PROT_NONE)) {
		perror("fuzz: memory");
		_exit(2);
	}
	/* A child has no use for it, and copying it takes long. */
	madvise(room, FUZZ_ROOM + 8192, MADV_DONTFORK);
	worker->room = room;
	worker->edge = room + FUZZ_ROOM + 4096;
	worker->shared = shared;
}

/**
 * world_begin() - namespaces, and threads that wait for the first input
 */
void world_begin(void)
{
	struct sigaction action = { .sa_handler = woken };
	unsigned char *shared;
	unsigned int i;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	signal(SIGURG, SIG_IGN);
	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < FUZZ_FDS; i++)
		world_fds[i] = -1;
	for (i = 0; i < FUZZ_SPACES; i++) {
		if (unshare(CLONE_NEWNET)) {
			perror("fuzz: unshare");
			_exit(2);
		}
		world_spaces[i] = open("/proc/self/ns/net",
				       O_RDONLY | O_CLOEXEC);
	}
	slow_begin();
	shared = mmap(NULL, FUZZ_ROOM, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	for (i = 0; i < FUZZ_THREADS; i++) {
		workers[i].id = i;
		workers[i].space = -1;
		worker_room(&workers[i], shared);
		if (state->guided && !cover_open(&workers[i].cover)) {
			perror("fuzz: coverage");
			_exit(2);
		}
		if (pthread_create(&threads[i], NULL, work, &workers[i]))
			_exit(2);
	}
}

static struct timespec in_milliseconds(unsigned int ms)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += ms * 1000000L;
	at.tv_sec += at.tv_nsec / 1000000000L;
	at.tv_nsec %= 1000000000L;
	return at;
}

/* Does a thread sleep so that a signal would wake it? */
static bool is_asleep(pid_t tid)
{
	char path[64], text[256] = "", *end;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	end = strrchr(text, ')');
	return end && end[1] == ' ' && end[2] == 'S';
}

static bool all_asleep(void)
{
	unsigned int i;

	for (i = 0; i < FUZZ_THREADS; i++)
		if (busy[i] && !is_asleep(tids[i]))
			return false;
	return true;
}

/*
 * Called and returns with the lock. When nobody does anything any more but
 * sleep, or after a while, who sleeps is woken, again and again.
 */
static void wait_for_all(void)
{
	unsigned int i, waited = 0, since = 0, asleep = 0;
	struct timespec until;

	while (left) {
		until = in_milliseconds(STEP);
		if (pthread_cond_timedwait(&done, &lock, &until) != ETIMEDOUT)
			continue;
		waited += STEP;
		since += STEP;
		asleep = all_asleep() ? asleep + 1 : 0;
		if (asleep < 3 && since < WAKE)
			continue;
		asleep = 0;
		since = 0;
		if (waited > state->patience * 1000U)
			report("a thread has not come back in %d s",
			       state->patience);
		for (i = 0; i < FUZZ_THREADS; i++)
			if (busy[i])
				pthread_kill(threads[i], SIGUSR1);
	}
}

static void start_all(const struct input *input)
{
	unsigned int i;

	current = input;
	generation++;
	left = FUZZ_THREADS;
	for (i = 0; i < FUZZ_THREADS; i++)
		busy[i] = true;
	pthread_cond_broadcast(&go);
}

/**
 * world_run() - run an input; keep it if it has led further
 * @input: the input
 */
void world_run(const struct input *input)
{
	unsigned int i, found = 0;
	int fd;

	for (i = 0; state->guided && i < FUZZ_THREADS; i++)
		cover_reset(&workers[i].cover);
	pthread_mutex_lock(&lock);
	start_all(input);
	wait_for_all();
	pthread_mutex_unlock(&lock);
	for (i = 0; i < FUZZ_FDS; i++) {
		fd = atomic_exchange(&world_fds[i], -1);
		if (fd >= 0)
			close(fd);
	}
	ring_forget();
	for (i = 0; state->guided && i < FUZZ_THREADS; i++)
		found += cover_collect(&workers[i].cover);
	state->executions++;
	state->edges += found;
	if (found && !state->quiet)
		input_keep(input);
}

/**
 * world_end() - end the threads
 */
void world_end(void)
{
	unsigned int i;

	pthread_mutex_lock(&lock);
	current = NULL;
	generation++;
	pthread_cond_broadcast(&go);
	pthread_mutex_unlock(&lock);
	for (i = 0; i < FUZZ_THREADS; i++) {
		pthread_join(threads[i], NULL);
		state->calls += workers[i].calls;
		state->good += workers[i].good;
	}
}
