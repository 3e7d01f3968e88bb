// SPDX-License-Identifier: GPL-2.0
/*
 * libvnic - see libvnic.h for what each function does.
 *
 * A thin layer on purpose: one call here is one call there. Nothing falls back
 * to read() and write() where the ioctls are missing, for then a program would
 * be slow and nobody would know why.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/sockios.h>

#include "libvnic.h"
#include "rings.h"

static_assert(VNIC_NAME_SIZE == IFNAMSIZ, "an interface's name");

#define NO_NODE		"there is no /dev/vnic: load the module (modprobe vnic)"
#define TOO_OLD		"the vnic module is too old: install this version's, reload it"
#define NO_DEVICE	"there is no device: never attached, or deleted since"
#define BAD_ARRAY	"too many packets, or a reserved field is not 0"

/* Each says what is wrong and what to do, as far as that can be known here. */
static const struct {
	enum vnic_call call;
	int error;
	const char *text;
} sentences[] = {
	{ VNIC_CALL_OPEN, ENOENT, NO_NODE },
	{ VNIC_CALL_OPEN, ENODEV, NO_NODE },
	{ VNIC_CALL_OPEN, ENXIO, NO_NODE },
	{ VNIC_CALL_OPEN, ENOTTY, TOO_OLD },
	{ VNIC_CALL_OPEN, EACCES,
	  "/dev/vnic may not be opened: its mode should be 0666" },
	{ VNIC_CALL_OPEN, EPERM,
	  "not permitted: be root for another namespace; allow /dev/vnic in a container" },
	{ VNIC_CALL_OPEN, ENONET,
	  "there is no such network namespace: see ip netns list" },

	{ VNIC_CALL_ATTACH, EPERM,
	  "not permitted: be root, or let root type ip link set NAME type KIND owner YOU" },
	{ VNIC_CALL_ATTACH, EBUSY,
	  "another program has it (grep -l iff:.*NAME /proc/*/fdinfo/*), or it exists" },
	{ VNIC_CALL_ATTACH, EEXIST,
	  "this file has a device already: open another" },
	{ VNIC_CALL_ATTACH, EINVAL,
	  "that interface is of another kind, queues or framing: see ip -d link show NAME" },
	{ VNIC_CALL_ATTACH, E2BIG, "all queues of the device have a program" },
	{ VNIC_CALL_ATTACH, ENAMETOOLONG,
	  "an interface's name has 15 letters at most" },

	{ VNIC_CALL_SEND, ENOTTY, TOO_OLD },
	{ VNIC_CALL_SEND, EBADFD, NO_DEVICE },
	{ VNIC_CALL_SEND, EINVAL, BAD_ARRAY },
	{ VNIC_CALL_SEND, EAGAIN,
	  "no room in the send buffer: poll for POLLOUT" },

	{ VNIC_CALL_RECV, ENOTTY, TOO_OLD },
	{ VNIC_CALL_RECV, EBADFD, NO_DEVICE },
	{ VNIC_CALL_RECV, EINVAL, BAD_ARRAY },
	{ VNIC_CALL_RECV, EAGAIN, "no packet: poll for POLLIN" },
	{ VNIC_CALL_RECV, EFAULT,
	  "an address is bad, or the device was deleted during the call" },

	{ VNIC_CALL_RINGS, ENOTTY, TOO_OLD },
	{ VNIC_CALL_RINGS, EBADFD, NO_DEVICE },
	{ VNIC_CALL_RINGS, EBUSY, "this file has its rings already" },
	{ VNIC_CALL_RINGS, EINVAL,
	  "sizes are 0 or powers of two, 256 KiB to 16 MiB; without backpressure" },
	{ VNIC_CALL_RINGS, EOPNOTSUPP,
	  "this machine's cache does not allow memory to be shared with the kernel" },

	{ VNIC_CALL_PACKET, EINVAL,
	  "too short, not IP where IP is wanted, or its offloads are wrong" },
	{ VNIC_CALL_PACKET, EMSGSIZE, "longer than a packet may be" },
	{ VNIC_CALL_PACKET, EIO,
	  "the device is down: ip link set NAME up" },
	{ VNIC_CALL_PACKET, EFAULT, "its address is bad" },
	{ VNIC_CALL_PACKET, EBUSY, "the queue is turned off" },

	{ VNIC_CALL_OTHER, ENOTTY, TOO_OLD },
	{ VNIC_CALL_OTHER, EBADFD, NO_DEVICE },
	{ VNIC_CALL_OTHER, EPERM, "not permitted: this takes CAP_NET_ADMIN" },
	{ VNIC_CALL_OTHER, EINVAL, "not possible with this device or kernel" },
};

const char *vnic_strerror(enum vnic_call call, int error)
{
	size_t i;

	error = error < 0 ? -error : error;
	for (i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
		if (sentences[i].call == call && sentences[i].error == error)
			return sentences[i].text;
	}
	return strerror(error);
}

static int negative(int result)
{
	return result < 0 ? -errno : result;
}

static int namespace_open(const char *netns)
{
	char path[PATH_MAX];
	int fd;

	if (strchr(netns, '/'))
		snprintf(path, sizeof(path), "%s", netns);
	else
		snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ENONET : -errno;
	return fd;
}

static bool same_file(int one, int other)
{
	struct stat a, b;

	return !fstat(one, &a) && !fstat(other, &b) && a.st_dev == b.st_dev &&
		a.st_ino == b.st_ino;
}

/*
 * Lets the calling thread enter @netns, unless it is there. Returns what
 * namespace_leave() wants: the namespace in which it was.
 */
static int namespace_enter(int netns)
{
	int before = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int error;

	if (before < 0)
		return -errno;
	if (same_file(before, netns) || !setns(netns, CLONE_NEWNET))
		return before;
	error = errno == EINVAL ? ENONET : errno;
	close(before);
	return -error;
}

/* A thread that is left in another namespace would do harm later. */
static void namespace_leave(int before, int netns)
{
	if (!same_file(before, netns) && setns(before, CLONE_NEWNET))
		abort();
	close(before);
}

static int device_open(int flags)
{
	int fd = negative(open(VNIC_DEV_PATH, O_RDWR | O_CLOEXEC | flags));
	int version;

	if (fd < 0)
		return fd;
	/* Of a file that had this number, and was closed by other means. */
	rings_forget(fd);
	version = vnic_version(fd);
	if (version < 0) {
		close(fd);
		return version;
	}
	return fd;
}

int vnic_close(int fd)
{
	rings_forget(fd);
	return negative(close(fd));
}

int vnic_open(const char *netns, int flags)
{
	int ns, before, fd;

	if (!netns)
		return device_open(flags);
	ns = namespace_open(netns);
	if (ns < 0)
		return ns;
	before = namespace_enter(ns);
	if (before < 0) {
		close(ns);
		return before;
	}
	fd = device_open(flags);
	namespace_leave(before, ns);
	close(ns);
	return fd;
}

/* Without these ioctls the module says that there is no device, or nothing. */
int vnic_version(int fd)
{
	__u32 version;

	if (!ioctl(fd, VNIC_IOC_VERSION, &version))
		return version;
	if (errno == EBADFD || errno == EINVAL)
		return -ENOTTY;
	return -errno;
}

/* The flags of an interface request are 16 bits of a signed type. */
static int set_interface(int fd, unsigned long request, const char *name,
			 unsigned int flags, struct ifreq *ifr)
{
	memset(ifr, 0, sizeof(*ifr));
	if (strnlen(name, VNIC_NAME_SIZE) == VNIC_NAME_SIZE)
		return -ENAMETOOLONG;
	if (flags > 0xffff)
		return -EINVAL;
	memcpy(ifr->ifr_name, name, strlen(name));
	ifr->ifr_flags = (short)flags;
	return negative(ioctl(fd, request, ifr));
}

int vnic_attach(int fd, char name[VNIC_NAME_SIZE], unsigned int flags)
{
	struct ifreq ifr;
	int result;

	result = set_interface(fd, TUNSETIFF, name, flags | IFF_NO_PI, &ifr);
	if (!result)
		memcpy(name, ifr.ifr_name, VNIC_NAME_SIZE);
	return result;
}

int vnic_open_queues(const char *netns, int open_flags,
		     char name[VNIC_NAME_SIZE], unsigned int flags, int fds[],
		     unsigned int count)
{
	unsigned int i;
	int result = 0;

	flags |= IFF_MULTI_QUEUE;
	for (i = 0; i < count; i++) {
		fds[i] = vnic_open(netns, open_flags);
		if (fds[i] < 0) {
			result = fds[i];
			break;
		}
		result = vnic_attach(fds[i], name, flags);
		if (result) {
			close(fds[i]);
			break;
		}
		/* The others belong to the device that this one has made. */
		flags &= ~(unsigned int)IFF_TUN_EXCL;
	}
	while (result && i > 0)
		close(fds[--i]);
	return result;
}

int vnic_device(int fd, char name[VNIC_NAME_SIZE])
{
	struct ifreq ifr;
	int result;

	result = set_interface(fd, TUNGETIFF, "", 0, &ifr);
	if (result)
		return result;
	memcpy(name, ifr.ifr_name, VNIC_NAME_SIZE);
	return (unsigned short)ifr.ifr_flags;
}

int vnic_use_queue(int fd, int on)
{
	struct ifreq ifr;

	return set_interface(fd, TUNSETQUEUE, "",
			     on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE, &ifr);
}

int vnic_offload(int fd, unsigned int offload)
{
	return negative(ioctl(fd, TUNSETOFFLOAD, (unsigned long)offload));
}

int vnic_socket(int fd)
{
	int ns, before, sock;

	ns = negative(ioctl(fd, TUNGETDEVNETNS));
	if (ns < 0)
		return ns;
	before = namespace_enter(ns);
	if (before < 0) {
		close(ns);
		return before;
	}
	sock = negative(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (sock == -EAFNOSUPPORT)
		sock = negative(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC,
				       0));
	namespace_leave(before, ns);
	close(ns);
	return sock;
}

int vnic_up(int fd)
{
	struct ifreq ifr;
	int sock, result;

	memset(&ifr, 0, sizeof(ifr));
	result = vnic_device(fd, ifr.ifr_name);
	if (result < 0)
		return result;
	sock = vnic_socket(fd);
	if (sock < 0)
		return sock;
	result = negative(ioctl(sock, SIOCGIFFLAGS, &ifr));
	if (!result && !(ifr.ifr_flags & IFF_UP)) {
		ifr.ifr_flags |= IFF_UP;
		result = negative(ioctl(sock, SIOCSIFFLAGS, &ifr));
	}
	close(sock);
	return result;
}

static int batch(int fd, unsigned long request, struct vnic_packet *packets,
		 unsigned int count, unsigned int min)
{
	struct vnic_batch all = {
		.packets = (uintptr_t)packets,
		.count = count,
		.min = min,
	};

	return negative(ioctl(fd, request, &all));
}

int vnic_send(int fd, struct vnic_packet *packets, unsigned int count,
	      unsigned int min)
{
	struct rings *rings = rings_of(fd);

	if (rings && rings_send(rings))
		return rings_send_packets(rings, fd, packets, count);
	return batch(fd, VNIC_IOC_SEND, packets, count, min);
}

int vnic_recv(int fd, struct vnic_packet *packets, unsigned int count,
	      unsigned int min)
{
	struct rings *rings = rings_of(fd);

	if (rings && rings_receive(rings))
		return rings_recv_packets(rings, fd, packets, count, min);
	return batch(fd, VNIC_IOC_RECV, packets, count, min);
}

/* One piece of memory: the array, then the buffers. */
struct vnic_packet *vnic_packets_new(unsigned int count, __u32 size)
{
	struct vnic_packet *packets;
	unsigned int i;
	size_t bytes;
	char *buffer;

	if (__builtin_mul_overflow((size_t)size + sizeof(*packets),
				   (size_t)count, &bytes))
		return NULL;
	packets = malloc(bytes ? bytes : 1);
	if (!packets)
		return NULL;
	buffer = (char *)&packets[count];
	for (i = 0; i < count; i++)
		packets[i].addr = (uintptr_t)(buffer + (size_t)i * size);
	vnic_packets_reset(packets, count, size);
	return packets;
}

void vnic_packets_free(struct vnic_packet *packets)
{
	free(packets);
}
