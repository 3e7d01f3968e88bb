// SPDX-License-Identifier: GPL-2.0
/*
 * input - what is run: up to 64 operations of twelve bytes
 *
 * A file of inputs is one after the other: the number of operations in two
 * bytes, then these, all little endian.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

/* Operations that lead somewhere, more often than their share. */
static void op_make(struct rng *rng, struct op *op, unsigned int threads,
		    unsigned int slots)
{
	*op = (struct op) {
		.code = rng_next(rng),
		.a = rng_next(rng),
		.b = rng_next(rng),
		.x = rng_next(rng),
		.y = rng_next(rng),
	};
	op->who = rng_below(rng, threads) | rng_below(rng, slots) << 2 |
		  rng_below(rng, slots) << 5;
	if (!rng_one_in(rng, 3))
		op->b &= ~FUZZ_SHARED;
}

static __u8 code_of(const char *name)
{
	__u8 code = 0;

	while (code < file_op_count && strcmp(file_ops[code].name, name))
		code++;
	return code;
}

/*
 * One thread gives the kernel arguments to read, and another one writes to
 * them: by chance alone they seldom meet.
 */
static void make_duel(struct rng *rng, struct input *input)
{
	static const char *const victims[] = { "batch", "batch", "ioctl",
					       "write" };
	const char *victim = victims[rng_below(rng, COUNT_OF(victims))];
	struct op *op = input->ops;
	int i;

	op->code = code_of("attach");
	op->who = 0;
	op->a |= 0x40;
	for (i = 1; i < 13 && i < input->count; i++) {
		op[i].code = code_of(i < 7 ? victim : "flip");
		op[i].who = i >= 7;
		op[i].b |= FUZZ_SHARED;
	}
}

/**
 * input_make() - an input out of nothing
 * @rng: where from
 * @input: written here
 */
void input_make(struct rng *rng, struct input *input)
{
	unsigned int threads = 1 + rng_below(rng, FUZZ_THREADS);
	unsigned int slots = 1 + rng_below(rng, 4), i;

	input->count = 6 + rng_below(rng, FUZZ_OPS - 6);
	for (i = 0; i < input->count; i++) {
		op_make(rng, &input->ops[i], threads, slots);
		/* Without a device the others come to nothing. */
		if (i < 4)
			input->ops[i].code = i & 1 ? file_op_count : 0;
	}
	if (rng_one_in(rng, 4))
		make_duel(rng, input);
}

static void mutate_once(struct rng *rng, struct input *input)
{
	struct op *op = &input->ops[rng_below(rng, input->count)];
	unsigned int at = op - input->ops, rest = input->count - at;

	switch (rng_below(rng, 8)) {
	case 0:
		op_make(rng, op, FUZZ_THREADS, FUZZ_FDS);
		break;
	case 1:
		if (input->count == 1)
			break;
		memmove(op, op + 1, (rest - 1) * sizeof(*op));
		input->count--;
		break;
	case 2:
		if (input->count == FUZZ_OPS)
			break;
		memmove(op + 1, op, rest * sizeof(*op));
		input->count++;
		if (rng_one_in(rng, 2))
			op_make(rng, op, FUZZ_THREADS, 4);
		break;
	case 3:
		((__u8 *)op)[rng_below(rng, sizeof(*op))] ^=
			1 << rng_below(rng, 8);
		break;
	case 4:
		op->x = interesting(rng);
		break;
	case 5:
		op->y = rng_next(rng);
		break;
	case 6:
		op->b ^= FUZZ_SHARED;
		break;
	default:
		op->who ^= 1 + rng_below(rng, 3);
		break;
	}
}

/* Its beginning, and another one's end. */
static void cross(struct rng *rng, struct input *input,
		  const struct input *other)
{
	unsigned int keep = rng_below(rng, input->count);
	unsigned int from = rng_below(rng, other->count);
	unsigned int n = other->count - from;

	if (n > FUZZ_OPS - keep)
		n = FUZZ_OPS - keep;
	memcpy(input->ops + keep, other->ops + from, n * sizeof(struct op));
	input->count = keep + n;
}

/**
 * input_next() - what to run next: made anew, or out of what led further
 * @input: written here
 */
void input_next(struct input *input)
{
	struct rng *rng = &state->rng;
	unsigned int changes = 1 << rng_below(rng, 5);

	if (!state->corpus_count || rng_one_in(rng, state->guided ? 8 : 2)) {
		input_make(rng, input);
		return;
	}
	*input = state->corpus[rng_below(rng, state->corpus_count)];
	if (rng_one_in(rng, 4))
		cross(rng, input,
		      &state->corpus[rng_below(rng, state->corpus_count)]);
	while (changes--)
		mutate_once(rng, input);
}

/**
 * input_write() - append to a file of inputs
 * @fd: the file
 * @input: the input
 *
 * Return: whether all of it was written.
 */
bool input_write(int fd, const struct input *input)
{
	ssize_t size = offsetof(struct input, ops[input->count]);
	char bytes[sizeof(*input)];

	/* The structure has a hole after the number; the file has none. */
	memcpy(bytes, &input->count, sizeof(input->count));
	memcpy(bytes + sizeof(input->count), input->ops,
	       input->count * sizeof(struct op));
	size -= offsetof(struct input, ops) - sizeof(input->count);
	return write(fd, bytes, size) == size;
}

/**
 * input_read() - the next one of a file
 * @fd: the file
 * @input: written here
 *
 * Return: false if there is none, or not all of it.
 */
bool input_read(int fd, struct input *input)
{
	ssize_t size;

	if (read(fd, &input->count, sizeof(input->count)) !=
	    sizeof(input->count))
		return false;
	if (!input->count || input->count > FUZZ_OPS)
		return false;
	size = input->count * sizeof(struct op);
	return read(fd, input->ops, size) == size;
}

static void corpus_add(const struct input *input)
{
	__u32 at = state->corpus_count;

	/* Full: somebody has to go. */
	if (at == FUZZ_CORPUS)
		at = rng_below(&state->rng, FUZZ_CORPUS);
	else
		state->corpus_count++;
	state->corpus[at] = *input;
}

/**
 * input_keep() - this one has led further: keep it, also for the next run
 * @input: the input
 */
void input_keep(const struct input *input)
{
	__u64 hash = 0xcbf29ce484222325ULL;
	const __u8 *bytes = (void *)input->ops;
	char name[32];
	size_t i;
	int fd;

	corpus_add(input);
	state->found++;
	if (state->corpus_dir < 0)
		return;
	for (i = 0; i < input->count * sizeof(struct op); i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
	snprintf(name, sizeof(name), "%016llx", (unsigned long long)hash);
	fd = openat(state->corpus_dir, name, O_WRONLY | O_CREAT | O_TRUNC,
		    0644);
	if (fd < 0 || !input_write(fd, input))
		fprintf(stderr, "fuzz: cannot keep %s: %m\n", name);
	if (fd >= 0)
		close(fd);
}

/**
 * input_load_corpus() - what earlier runs have kept, in order of names
 */
void input_load_corpus(void)
{
	struct dirent **names;
	struct input input;
	int n, i, fd;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", state->corpus_dir);
	n = scandir(path, &names, NULL, alphasort);
	for (i = 0; i < n; i++) {
		fd = openat(state->corpus_dir, names[i]->d_name, O_RDONLY);
		if (fd >= 0 && input_read(fd, &input))
			corpus_add(&input);
		if (fd >= 0)
			close(fd);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/**
 * input_show() - print what an input does
 * @input: the input
 */
void input_show(const struct input *input)
{
	const struct op *op;

	for (op = input->ops; op < input->ops + input->count; op++)
		printf("thread %u: %s fd %u link f%u a %#x b %#x x %#x y %#x\n",
		       op->who & 3, op_kind(op)->name, op->who >> 2 & 7,
		       op->who >> 5, op->a, op->b, op->x, op->y);
	printf("\n");
}
