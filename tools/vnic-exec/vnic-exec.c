// SPDX-License-Identifier: GPL-2.0
/*
 * vnic-exec - run a program that inherits a device, and nothing of root's
 *
 *	vnic-exec                             the program
 *	opens /dev/vnic,        exec()        finds the device as fd 3,
 *	attaches vm0        ------------->    and may do nothing else
 *	(takes privileges)                    (takes none)
 *
 * There is one process all the time, and nothing of this program is left in it
 * when the other one begins: signals, exit status and terminal are that one's
 * own. It learns the number of the file from its arguments, in which %fd% and
 * others are replaced, or from its environment.
 *
 * All is opened close-on-exec, and what the program shall have is let through
 * at the end.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include <libvnic.h>

/* As many as a device may have. */
#define QUEUES_MAX	256

/* As other programs that run one: these are ours, the rest is the program's. */
enum { EXIT_REFUSED = 125, EXIT_CANNOT_RUN = 126, EXIT_NO_PROGRAM = 127 };

static struct {
	/* what was asked for */
	const char *option, *asked, *netns, *user;
	bool tap, up, vhost, keep_privileges;
	int vnet_hdr;
	unsigned int queues;

	/* who the program will be */
	uid_t uid;
	gid_t gid;
	const char *groups_of;

	/* and what it will have */
	char name[VNIC_NAME_SIZE];
	int fds[QUEUES_MAX], vhost_fds[QUEUES_MAX];
} run = {
	.vnet_hdr = -1,
	.queues = 1,
};

/* A list of file descriptors, with up to ten digits and a colon for each. */
#define TEXT_SIZE	(QUEUES_MAX * 11 + 1)

enum { FD, FDS, VHOSTFD, VHOSTFDS, NAME, VALUES };

/**
 * struct value - something that the program is told
 * @word: between two percent signs in its arguments
 * @variable: in its environment
 * @vhost: only there with --vhost
 * @text: the value, once it is known
 */
static struct value {
	const char *word, *variable;
	bool vhost;
	char text[TEXT_SIZE];
} values[VALUES] = {
	[FD] = { .word = "fd", .variable = "VNIC_FD" },
	[FDS] = { .word = "fds", .variable = "VNIC_FDS" },
	[VHOSTFD] = { .word = "vhostfd", .variable = "VNIC_VHOSTFD",
		      .vhost = true },
	[VHOSTFDS] = { .word = "vhostfds", .variable = "VNIC_VHOSTFDS",
		       .vhost = true },
	[NAME] = { .word = "name", .variable = "VNIC_NAME" },
};

/* ------------------------------------------------------------ arguments */

#define wrong_usage(...)						\
	(warnx(__VA_ARGS__),						\
	 errx(EXIT_REFUSED, "try vnic-exec --help"))

/* The value called by the first @length letters of @word. */
static const struct value *value_of(const char *word, int length)
{
	int i;

	for (i = 0; i < VALUES; i++) {
		if ((int)strlen(values[i].word) == length &&
		    !strncmp(values[i].word, word, length))
			return &values[i];
	}
	return NULL;
}

/* The argument with the values in it, never to be freed. */
static char *fill(const char *argument)
{
	const char *at = argument, *from, *to;
	const struct value *value;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		err(EXIT_REFUSED, "memory");
	while (*(from = strchrnul(at, '%'))) {
		fwrite(at, 1, from - at, out);
		from++;
		to = strchr(from, '%');
		if (!to)
			wrong_usage("%s: a percent sign is written %%%%",
				    argument);
		at = to + 1;
		if (to == from) {
			fputc('%', out);
			continue;
		}
		value = value_of(from, to - from);
		if (!value)
			wrong_usage("%s: there is no %%%.*s%%; a percent sign is written %%%%",
				    argument, (int)(to - from), from);
		if (value->vhost && !run.vhost)
			wrong_usage("%s: %%%s%% needs --vhost", argument,
				    value->word);
		fputs(value->text, out);
	}
	fputs(at, out);
	if (fclose(out))
		err(EXIT_REFUSED, "memory");
	return text;
}

/* The program's own name is not looked into. */
static void fill_all(char **from, char **to)
{
	*to++ = *from++;
	while (*from)
		*to++ = fill(*from++);
	*to = NULL;
}

/* ----------------------------------------------------------- the device */

/*
 * A standard file that is closed stays so for the program, but its number is
 * not free for one of ours: what is printed to it would become a packet.
 */
static void hold_standard_files(void)
{
	int fd;

	do {
		fd = open("/", O_PATH | O_CLOEXEC);
		if (fd < 0)
			err(EXIT_REFUSED, "/");
	} while (fd <= STDERR_FILENO);
	close(fd);
}

static noreturn void device_refused(unsigned int queue, enum vnic_call call,
				    int error)
{
	if (error == -ENONET)
		errx(EXIT_REFUSED, "--netns %s: %s", run.netns,
		     vnic_strerror(call, error));
	if (run.queues > 1)
		errx(EXIT_REFUSED, "%s %s, queue %u of %u: %s", run.option,
		     run.asked, queue + 1, run.queues,
		     vnic_strerror(call, error));
	errx(EXIT_REFUSED, "%s %s: %s", run.option, run.asked,
	     vnic_strerror(call, error));
}

/* A pattern becomes a name with the first queue. */
static void attach(unsigned int queue)
{
	unsigned int flags = run.tap ? IFF_TAP : IFF_TUN;
	int fd, result;

	if (run.vnet_hdr)
		flags |= IFF_VNET_HDR;
	if (run.queues > 1)
		flags |= IFF_MULTI_QUEUE;
	fd = vnic_open(run.netns, 0);
	if (fd < 0)
		device_refused(queue, VNIC_CALL_OPEN, fd);
	result = vnic_attach(fd, run.name, flags);
	/* A device that was made for many queues wants to be asked for one. */
	if (result == -EINVAL)
		result = vnic_attach(fd, run.name, flags | IFF_MULTI_QUEUE);
	if (result)
		device_refused(queue, VNIC_CALL_ATTACH, result);
	run.fds[queue] = fd;
}

static const char *vhost_error(int error)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return "it is not there: load the module (modprobe vhost_net)";
	case EACCES:
		return "it may not be opened: be root, or in its group (ls -l)";
	case EPERM:
		return "not permitted: allow it in this container";
	default:
		return strerror(error);
	}
}

/* vhost-net takes sockets only. This one keeps the queue, and the device. */
static void make_vhost(unsigned int queue)
{
	int sock = ioctl(run.fds[queue], VNIC_IOC_SOCKET, O_CLOEXEC);

	if (sock < 0)
		errx(EXIT_REFUSED, "--vhost, a socket on %s: %s", run.name,
		     vnic_strerror(VNIC_CALL_OTHER, errno));
	close(run.fds[queue]);
	run.fds[queue] = sock;
	run.vhost_fds[queue] = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (run.vhost_fds[queue] < 0)
		errx(EXIT_REFUSED, "--vhost, /dev/vhost-net: %s",
		     vhost_error(errno));
}

static void open_device(void)
{
	unsigned int queue;
	int result;

	for (queue = 0; queue < run.queues; queue++)
		attach(queue);
	if (run.up) {
		result = vnic_up(run.fds[0]);
		if (result)
			errx(EXIT_REFUSED, "--up: %s",
			     vnic_strerror(VNIC_CALL_OTHER, result));
	}
	for (queue = 0; run.vhost && queue < run.queues; queue++)
		make_vhost(queue);
}

/* ---------------------------------------------------------- privileges */

static bool number(const char *text, unsigned int *value)
{
	unsigned long long wide;
	char *end;

	errno = 0;
	wide = strtoull(text, &end, 10);
	/* The last one stands for none. */
	if (errno || *end || text[0] < '0' || text[0] > '9' ||
	    wide >= UINT32_MAX)
		return false;
	*value = wide;
	return true;
}

static gid_t find_group(const char *text)
{
	const struct group *group = getgrnam(text);
	unsigned int value;

	if (group)
		return group->gr_gid;
	if (!number(text, &value))
		errx(EXIT_REFUSED, "--user %s: there is no group %s", run.user,
		     text);
	return value;
}

/* USER[:GROUP]; alone, a user comes with all of its groups. */
static void find_user(void)
{
	char *text = strdup(run.user);
	const struct passwd *user;
	unsigned int value;
	char *group;

	if (!text)
		err(EXIT_REFUSED, "memory");
	group = strchr(text, ':');
	if (group)
		*group++ = '\0';
	user = getpwnam(text);
	if (!user && number(text, &value)) {
		run.uid = value;
		user = getpwuid(value);
		if (!user && !group)
			errx(EXIT_REFUSED,
			     "--user %s: nobody knows its group: give one, %s:GROUP",
			     run.user, text);
	} else if (!user) {
		errx(EXIT_REFUSED, "--user %s: there is no user %s", run.user,
		     text);
	}
	if (user) {
		run.uid = user->pw_uid;
		run.gid = user->pw_gid;
	}
	if (group) {
		run.gid = find_group(group);
	} else {
		run.groups_of = strdup(user->pw_name);
		if (!run.groups_of)
			err(EXIT_REFUSED, "memory");
	}
	free(text);
}

static void become_user(void)
{
	int result;

	if (run.groups_of)
		result = initgroups(run.groups_of, run.gid);
	else
		result = setgroups(0, NULL);
	if (result || setresgid(run.gid, run.gid, run.gid) ||
	    setresuid(run.uid, run.uid, run.uid))
		err(EXIT_REFUSED, "--user %s: cannot become it", run.user);
}

/* The files are open: nothing of what root may do is needed any more. */
static void give_up_privileges(void)
{
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	int bit;

	/* The last bit is followed by EINVAL; EPERM is for who has none. */
	for (bit = 0; !prctl(PR_CAPBSET_DROP, bit, 0, 0, 0); bit++)
		;
	if (run.user)
		become_user();
	memset(none, 0, sizeof(none));
	/* The ambient ones go with these. */
	if (syscall(SYS_capset, &header, none))
		err(EXIT_REFUSED, "cannot give capabilities up");
	/* With no more of them, not even a user 0 gets some by exec(). */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err(EXIT_REFUSED, "no_new_privs");
}

/* -------------------------------------------------------------- the end */

static void list(char text[TEXT_SIZE], const int fds[])
{
	char *at = text;
	unsigned int i;

	for (i = 0; i < run.queues; i++)
		at += sprintf(at, i ? ":%d" : "%d", fds[i]);
}

static void set_values(void)
{
	int i;

	sprintf(values[FD].text, "%d", run.fds[0]);
	list(values[FDS].text, run.fds);
	if (run.vhost) {
		sprintf(values[VHOSTFD].text, "%d", run.vhost_fds[0]);
		list(values[VHOSTFDS].text, run.vhost_fds);
	}
	strcpy(values[NAME].text, run.name);
	for (i = 0; i < VALUES; i++) {
		/* One that is not there may be another vnic-exec's. */
		if (values[i].vhost && !run.vhost)
			unsetenv(values[i].variable);
		else if (setenv(values[i].variable, values[i].text, 1))
			err(EXIT_REFUSED, "memory");
	}
}

static void let_through(int fd)
{
	if (fcntl(fd, F_SETFD, 0))
		err(EXIT_REFUSED, "file %d", fd);
}

static noreturn void run_program(char **arguments)
{
	unsigned int queue;
	int error;

	for (queue = 0; queue < run.queues; queue++) {
		let_through(run.fds[queue]);
		if (run.vhost)
			let_through(run.vhost_fds[queue]);
	}
	execvp(arguments[0], arguments);
	error = errno;
	warn("cannot run %s", arguments[0]);
	exit(error == ENOENT ? EXIT_NO_PROGRAM : EXIT_CANNOT_RUN);
}

static const char usage[] =
	"usage: vnic-exec [OPTION]... --tap NAME|--tun NAME -- PROGRAM [ARGUMENT]...\n"
	"Run a program that inherits a device, as files that are open.\n"
	"\n"
	"  -t, --tap NAME            a vntap, made if it is not there; also vm%d\n"
	"  -T, --tun NAME            a vntun\n"
	"  -n, --netns NETNS         in this network namespace\n"
	"  -q, --queues N            so many files, a queue each\n"
	"  -v, --vhost               as sockets for vhost-net, with a file of that each\n"
	"  -H, --vnet-hdr[=on|off]   packets have virtio headers; on with --vhost\n"
	"  -U, --up                  bring the device up\n"
	"  -u, --user USER[:GROUP]   become this user\n"
	"  -k, --keep-privileges     the program may do what vnic-exec may\n"
	"  -h, --help                this\n"
	"  -V, --version             which one this is\n"
	"\n"
	"In an ARGUMENT these are replaced:\n"
	"  %fd%       %fds%          the file, all of them (3:4:5)\n"
	"  %vhostfd%  %vhostfds%     the same of /dev/vhost-net\n"
	"  %name%     %%             the device's name, a percent sign\n"
	"\n"
	"Exit status: the program's; 125 refused, 126 it cannot be run, 127 there is none.\n";

static unsigned int in_range(const char *what, const char *text,
			     unsigned int least, unsigned int most)
{
	unsigned int value;

	if (!number(text, &value) || value < least || value > most)
		wrong_usage("--%s %s: give a number from %u to %u", what, text,
			    least, most);
	return value;
}

static bool on_or_off(const char *what, const char *text)
{
	if (!text || !strcmp(text, "on"))
		return true;
	if (strcmp(text, "off"))
		wrong_usage("--%s=%s: say on or off", what, text);
	return false;
}

/* What the kernel would call invalid, without a word about the reason. */
static void set_name(const char *option, const char *text)
{
	const char *pattern = strchr(text, '%');

	if (run.option)
		wrong_usage("%s %s: there is one device, and that is %s %s",
			    option, text, run.option, run.asked);
	if (!text[0] || strlen(text) >= VNIC_NAME_SIZE)
		wrong_usage("%s %s: a device has a name of 1 to 15 letters",
			    option, text);
	if (strpbrk(text, "/: \t\n\v\f\r") || !strcmp(text, ".") ||
	    !strcmp(text, ".."))
		wrong_usage("%s %s: no device can be called that", option,
			    text);
	if (pattern && (pattern[1] != 'd' || strchr(pattern + 1, '%')))
		wrong_usage("%s %s: a pattern has one %%d, and no other percent sign",
			    option, text);
	strcpy(run.name, text);
	run.asked = text;
	run.option = option;
}

static void options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "tap", required_argument, NULL, 't' },
		{ "tun", required_argument, NULL, 'T' },
		{ "netns", required_argument, NULL, 'n' },
		{ "queues", required_argument, NULL, 'q' },
		{ "vhost", no_argument, NULL, 'v' },
		{ "vnet-hdr", optional_argument, NULL, 'H' },
		{ "up", no_argument, NULL, 'U' },
		{ "user", required_argument, NULL, 'u' },
		{ "keep-privileges", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int letter;

	/* Up to the program: what follows is for that one. */
	while ((letter = getopt_long(argc, argv, "+t:T:n:q:vHUu:khV", longs,
				     NULL)) != -1) {
		switch (letter) {
		case 't':
			set_name("--tap", optarg);
			run.tap = true;
			break;
		case 'T':
			set_name("--tun", optarg);
			break;
		case 'n':
			run.netns = optarg;
			break;
		case 'q':
			run.queues = in_range("queues", optarg, 1, QUEUES_MAX);
			break;
		case 'v':
			run.vhost = true;
			break;
		case 'H':
			run.vnet_hdr = on_or_off("vnet-hdr", optarg);
			break;
		case 'U':
			run.up = true;
			break;
		case 'u':
			run.user = optarg;
			break;
		case 'k':
			run.keep_privileges = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		case 'V':
			printf("vnic-exec %s\n", LIBVNIC_VERSION);
			exit(EXIT_SUCCESS);
		default:
			exit(EXIT_REFUSED);
		}
	}
	/* What vhost-net passes on has headers, or no offloads. */
	if (run.vnet_hdr < 0)
		run.vnet_hdr = run.vhost;
}

static void check_usage(char **program)
{
	if (!run.option)
		wrong_usage("name a device: --tap NAME or --tun NAME");
	if (!program[0])
		wrong_usage("name a program, behind --");
	if (run.user && run.keep_privileges)
		wrong_usage("--user gives privileges up, and --keep-privileges keeps them");
}

int main(int argc, char **argv)
{
	char **arguments;

	hold_standard_files();
	options(argc, argv);
	argc -= optind;
	argv += optind;
	check_usage(argv);
	arguments = calloc(argc + 1, sizeof(*arguments));
	if (!arguments)
		err(EXIT_REFUSED, "memory");
	/* Still without values: whether it can be done, before all else. */
	fill_all(argv, arguments);
	if (run.user)
		find_user();

	open_device();
	set_values();
	fill_all(argv, arguments);
	if (!run.keep_privileges)
		give_up_privileges();
	run_program(arguments);
}
