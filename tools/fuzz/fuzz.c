// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz - hostile programs against the module, from several threads
 *
 *	corpus --> input --> world: threads, fds, namespaces --> vnic.ko
 *	   \______ new edges (KCOV) _______________________________/
 *
 * A world is a process with namespaces of its own. It runs some inputs one
 * after the other, so that what one leaves meets the next; then all is deleted,
 * and the module must have no user left. What a world runs is written to a file
 * first: should the kernel die, it lies there.
 *
 * Exit: 0 nothing was found in the time given, 1 something was, 2 usage, or it
 * could not be begun.
 */
#include <getopt.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "fuzz.h"

struct state *state;

static const char usage[] =
"usage: fuzz [--seed N] [--seconds N] [--folder DIR] [--patience N]\n"
"       fuzz --replay FILE [--repeat N] | --show FILE\n"
"\n"
"  --seed N      of what is made up (default: the date)\n"
"  --seconds N   of fuzzing (default 30)\n"
"  --folder DIR  corpus/ and running are kept there (default: nowhere)\n"
"  --fresh       begin without the corpus of earlier runs\n"
"  --patience N  seconds until something is stuck (default 60)\n"
"  --replay FILE run the inputs of this file alone, in one world\n"
"  --repeat N    that many times (default 20)\n"
"  --show FILE   print what the inputs of this file do\n"
"  --worlds N    end after that many worlds, whatever the time\n";

struct options {
	unsigned long long	seed, seconds, repeat, worlds;
	const char		*folder, *replay, *show;
	bool			fresh;
};

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "fuzz: %s: %m\n", what);
	exit(2);
}

static void parse(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{ "seed", 1, NULL, 's' }, { "seconds", 1, NULL, 't' },
		{ "folder", 1, NULL, 'f' }, { "patience", 1, NULL, 'p' },
		{ "replay", 1, NULL, 'r' }, { "repeat", 1, NULL, 'n' },
		{ "worlds", 1, NULL, 'w' }, { "show", 1, NULL, 'i' },
		{ "fresh", 0, NULL, 'e' }, { }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		unsigned long long n = optarg ? strtoull(optarg, NULL, 0) : 0;

		switch (option) {
		case 's':
			options->seed = n;
			break;
		case 't':
			options->seconds = n;
			break;
		case 'n':
			options->repeat = n;
			break;
		case 'w':
			options->worlds = n;
			break;
		case 'p':
			state->patience = n;
			break;
		case 'f':
			options->folder = optarg;
			break;
		case 'e':
			options->fresh = true;
			break;
		case 'i':
			options->show = optarg;
			break;
		case 'r':
			options->replay = optarg;
			break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		exit(2);
	}
}

static void open_folder(const char *folder)
{
	char path[4096];

	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/corpus", folder);
	mkdir(path, 0755);
	state->corpus_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/running", folder);
	state->running = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
			      0644);
	if (state->corpus_dir < 0 || state->running < 0)
		die(path);
}

/* The inputs of a world: those of a file, of the corpus, or new ones. */
struct source {
	int	file;
	__u32	from, count;
};

static bool source_next(const struct source *source, unsigned int i,
			struct input *input)
{
	if (source->file >= 0)
		return input_read(source->file, input);
	if (i >= FUZZ_WORLD)
		return false;
	if (!source->count) {
		input_next(input);
		return true;
	}
	if (i >= source->count)
		return false;
	*input = state->corpus[source->from + i];
	return true;
}

static void world(const struct source *source)
{
	struct input input;
	unsigned int i;

	world_begin();
	for (i = 0; source_next(source, i, &input); i++) {
		if (state->running >= 0 && !input_write(state->running, &input))
			die("what runs cannot be written down");
		world_run(&input);
	}
	world_end();
	check_world();
	check_log(false);
	_exit(0);
}

/* Returns whether all was well. */
static bool run_world(const struct source *source)
{
	int pid, status;

	if (state->running >= 0 && (lseek(state->running, 0, SEEK_SET) ||
				    ftruncate(state->running, 0)))
		die("the file of what runs");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		world(source);
	if (waitpid(pid, &status, 0) != pid)
		die("wait");
	state->worlds++;
	if (WIFSIGNALED(status)) {
		printf("fuzz: REPORT: a world was ended by signal %d\n",
		       WTERMSIG(status));
		return false;
	}
	if (WEXITSTATUS(status) > 1)
		exit(2);
	if (WEXITSTATUS(status))
		return false;
	check_after_world();
	return true;
}

static void progress(double begin)
{
	double seconds = now() - begin;

	printf("fuzz: %llu executions, %.0f a second, %llu edges, %u inputs kept, %llu worlds\n",
	       (unsigned long long)state->executions,
	       state->executions / (seconds > 0.1 ? seconds : 0.1),
	       (unsigned long long)state->edges, state->corpus_count,
	       (unsigned long long)state->worlds);
	fflush(stdout);
}

/* What was kept shows how far one was; without coverage it serves as it is. */
static bool run_corpus(double end)
{
	struct source source = { .file = -1 };
	__u32 n = state->corpus_count;

	if (!state->guided)
		return true;
	state->quiet = true;
	for (source.from = 0; source.from < n && now() < end;
	     source.from += source.count) {
		source.count = n - source.from < FUZZ_WORLD ? n - source.from :
							      FUZZ_WORLD;
		if (!run_world(&source))
			return false;
	}
	state->quiet = false;
	printf("fuzz: %u inputs of earlier runs pass %llu edges\n", n,
	       (unsigned long long)state->edges);
	return true;
}

static bool search(const struct options *options)
{
	const struct source source = { .file = -1 };
	double begin = now(), end = begin + options->seconds, said = begin;

	if (!run_corpus(begin + options->seconds / 2.0))
		return false;
	while (now() < end &&
	       (!options->worlds || state->worlds < options->worlds)) {
		if (!run_world(&source))
			return false;
		if (now() - said > 10) {
			said = now();
			progress(begin);
		}
	}
	check_memory_leaks();
	if (state->guided)
		cover_missed();
	progress(begin);
	printf("fuzz: %llu operations, %llu of them did not fail\n",
	       (unsigned long long)state->calls,
	       (unsigned long long)state->good);
	return true;
}

static bool replay(const struct options *options)
{
	struct source source = { };
	unsigned long long i;

	state->quiet = true;
	source.file = open(options->replay, O_RDONLY | O_CLOEXEC);
	if (source.file < 0)
		die(options->replay);
	for (i = 0; i < options->repeat; i++) {
		lseek(source.file, 0, SEEK_SET);
		if (!run_world(&source))
			return false;
	}
	printf("fuzz: %s was run %llu times, %llu executions\n",
	       options->replay, i, (unsigned long long)state->executions);
	return state->executions;
}

static int show(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct input input;

	if (fd < 0)
		die(path);
	while (input_read(fd, &input))
		input_show(&input);
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = { .seed = time(NULL), .seconds = 30,
				   .repeat = 20 };
	bool well;

	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (state == MAP_FAILED)
		die("memory");
	state->patience = 60;
	state->running = -1;
	state->corpus_dir = -1;
	parse(&options, argc, argv);
	if (options.show)
		return show(options.show);
	state->rng = rng_seeded(options.seed);
	state->guided = cover_find();
	open_folder(options.folder);
	if (options.folder && !options.fresh)
		input_load_corpus();
	if (access("/sys/module/vnic/refcnt", R_OK))
		die("vnic.ko is not loaded");
	xdp_load();
	check_remember();
	if (!options.replay)
		printf("fuzz: seed %llu, %s\n", options.seed, state->guided ?
		       "guided by coverage" :
		       "blind: no coverage (neither KCOV nor vnic_trace)");
	fflush(stdout);
	well = options.replay ? replay(&options) : search(&options);
	return !well;
}
