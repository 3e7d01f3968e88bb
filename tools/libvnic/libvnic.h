/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libvnic: programs at the other end of a vntun or vntap.
 *
 *	char name[VNIC_NAME_SIZE] = "tap7";
 *	struct vnic_packet *packets = vnic_packets_new(64, 2048);
 *	int fd = vnic_open(NULL, 0);
 *	int n = vnic_attach(fd, name, IFF_TAP);
 *
 *	while (n >= 0) {
 *		vnic_packets_reset(packets, 64, 2048);
 *		n = vnic_recv(fd, packets, 64, 1);
 *		...
 *	}
 *	fprintf(stderr, "%s\n", vnic_strerror(VNIC_CALL_RECV, n));
 *
 * An open file is a queue of a device, and the file descriptor is all that
 * there is to hold: poll() and close() it, pass it on, use the ioctls of
 * <linux/if_tun.h> and <linux/vnic.h> on it as well. The library knows of a
 * file only the rings that vnic_rings() has made: such a file is closed by
 * vnic_close(). Every function may be called from any thread. Several
 * threads may use one file; each packet goes to one of them. For speed give
 * each thread a queue of its own (vnic_open_queues()).
 *
 * Each int function returns 0 or more, or a negative errno.
 */
#ifndef LIBVNIC_H
#define LIBVNIC_H

#include <stdint.h>
#include <string.h>

#include <linux/vnic.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LIBVNIC_VERSION	"1.1"

/* An interface's name with the zero at its end: IFNAMSIZ. */
#define VNIC_NAME_SIZE	16

/**
 * enum vnic_call - what failed, for vnic_strerror()
 * @VNIC_CALL_OPEN: vnic_open()
 * @VNIC_CALL_ATTACH: vnic_attach(), vnic_open_queues()
 * @VNIC_CALL_SEND: vnic_send()
 * @VNIC_CALL_RECV: vnic_recv()
 * @VNIC_CALL_RINGS: vnic_rings()
 * @VNIC_CALL_PACKET: the result of one packet of these two
 * @VNIC_CALL_OTHER: any other function
 */
enum vnic_call {
	VNIC_CALL_OPEN,
	VNIC_CALL_ATTACH,
	VNIC_CALL_SEND,
	VNIC_CALL_RECV,
	VNIC_CALL_PACKET,
	VNIC_CALL_OTHER,
	VNIC_CALL_RINGS,
};

/**
 * vnic_strerror() - say what went wrong, and what to do
 * @call: where it happened
 * @error: the errno, positive or negative
 *
 * Return: a sentence without a full stop, never to be freed.
 */
const char *vnic_strerror(enum vnic_call call, int error);

/**
 * vnic_open() - open /dev/vnic
 * @netns: name (as in "ip netns list") or path of a network namespace in which
 *	devices are looked up and made; NULL for the caller's
 * @flags: 0 or O_NONBLOCK
 *
 * The file is closed on exec. Checks that the module knows VNIC_IOC_*.
 * Another namespace takes CAP_SYS_ADMIN, and is entered by the calling thread
 * alone, for the time of this call.
 *
 * Return: a file descriptor; -ENOTTY: the module is too old; -ENONET: no such
 * namespace; others of open() and setns().
 */
int vnic_open(const char *netns, int flags);

/**
 * vnic_version() - what does the module speak?
 * @fd: of vnic_open()
 *
 * Return: VNIC_UAPI_VERSION of the kernel's side; -ENOTTY: the module is older
 * than these ioctls.
 */
int vnic_version(int fd);

/**
 * vnic_attach() - attach the file to a device, which is made if it is not there
 * @fd: of vnic_open()
 * @name: the device's name; "" or one with %d for one that the kernel chooses.
 *	The name that it has is written back.
 * @flags: IFF_TUN or IFF_TAP, and others of <linux/if_tun.h>: IFF_VNET_HDR for
 *	packets with offloads, IFF_MULTI_QUEUE, IFF_TUN_EXCL, IFF_NO_CARRIER.
 *	IFF_NO_PI is implied.
 *
 * A device that this makes goes with its last file; one that "ip link add" has
 * made stays.
 *
 * Return: 0; -EPERM, -EBUSY, -EINVAL and others of TUNSETIFF.
 */
int vnic_attach(int fd, char name[VNIC_NAME_SIZE], unsigned int flags);

/**
 * vnic_open_queues() - open many queues of one device
 * @netns: as for vnic_open()
 * @open_flags: its flags
 * @name: as for vnic_attach()
 * @flags: its flags; IFF_MULTI_QUEUE is implied
 * @fds: takes the file descriptors
 * @count: how many
 *
 * Return: 0, or what vnic_open() or vnic_attach() has returned; then no file
 * is left open.
 */
int vnic_open_queues(const char *netns, int open_flags,
		     char name[VNIC_NAME_SIZE], unsigned int flags, int fds[],
		     unsigned int count);

/**
 * vnic_device() - to what is this file attached?
 * @fd: the file
 * @name: takes the name; it may have changed since
 *
 * Return: the flags (IFF_*) of this file and its device.
 */
int vnic_device(int fd, char name[VNIC_NAME_SIZE]);

/**
 * vnic_use_queue() - turn one queue of a multi-queue device off and on
 * @fd: the file
 * @on: 0: no packet comes to this file until it is turned on again
 *
 * Return: 0 or an error.
 */
int vnic_use_queue(int fd, int on);

/**
 * vnic_offload() - say what packets this program can take
 * @fd: the file, attached with IFF_VNET_HDR
 * @offload: TUN_F_CSUM, TUN_F_TSO4 and others of <linux/if_tun.h>
 *
 * For the whole device, until its last file is closed.
 *
 * Return: 0; -EINVAL: one of them is not known to this kernel.
 */
int vnic_offload(int fd, unsigned int offload);

/**
 * vnic_up() - bring the device up
 * @fd: the file
 *
 * Return: 0; -EPERM without CAP_NET_ADMIN.
 */
int vnic_up(int fd);

/**
 * vnic_socket() - a socket to configure the device with
 * @fd: the file
 *
 * A datagram socket in the network namespace in which the device is at the
 * moment, for SIOCSIFFLAGS, SIOCSIFMTU and others; the calling thread enters
 * that namespace for a moment.
 *
 * Return: a file descriptor, closed on exec; -EPERM without CAP_NET_ADMIN.
 */
int vnic_socket(int fd);

/**
 * vnic_send() - give the stack many packets with one call
 * @fd: the file
 * @packets: the packets, see vnic_packet_set()
 * @count: how many, VNIC_BATCH_MAX at most
 * @min: for how many of them to wait, when there is no room and the file is
 *	not O_NONBLOCK
 *
 * Return: how many were taken; the result of each of these says what became of
 * it. -EAGAIN: none, for want of room; -ENOTTY: the module is too old;
 * -EBADFD: no device.
 */
int vnic_send(int fd, struct vnic_packet *packets, unsigned int count,
	      unsigned int min);

/**
 * vnic_recv() - take many packets from the stack with one call
 * @fd: the file
 * @packets: buffers, see vnic_packets_reset()
 * @count: how many, VNIC_BATCH_MAX at most
 * @min: for how many of them to wait, if the file is not O_NONBLOCK
 *
 * Return: how many there were: these have their length in len, which is more
 * than the buffer if flags has VNIC_PACKET_TRUNC. -EAGAIN: none; others as for
 * vnic_send().
 */
int vnic_recv(int fd, struct vnic_packet *packets, unsigned int count,
	      unsigned int min);

/**
 * vnic_rings() - let packets come and go through memory shared with the kernel
 * @fd: the file, attached
 * @recv_size: bytes of the ring that vnic_recv() takes packets from, a power of
 *	two from VNIC_RING_MIN to VNIC_RING_MAX; 0: as before
 * @send_size: the same for vnic_send()
 *
 * Once for each file. vnic_recv() makes no system call then while there are
 * packets, and vnic_send() one for as many as the ring has room for. What is
 * different: a bad address is a signal and not an error; a packet that the
 * kernel refuses has a result of 0, and the device's counters tell;
 * vnic_recv() of an empty ring that may not sleep is -EAGAIN even if the device
 * has gone, which poll() tells. Before poll() of its own a program has
 * vnic_recv() say -EAGAIN once. Memory is the caller's, and is freed by
 * vnic_close().
 *
 * Return: 0; -EINVAL, -EBUSY, -EBADFD, -ENOMEM, -ENOTTY (the module is too
 * old), -EMFILE (above a million files), and others of mmap().
 */
int vnic_rings(int fd, __u32 recv_size, __u32 send_size);

/**
 * vnic_close() - close a file, and let go of its rings
 * @fd: of vnic_open()
 *
 * Return: 0 or an error of close().
 */
int vnic_close(int fd);

/**
 * vnic_packets_new() - an array of packets with a buffer each
 * @count: how many
 * @size: bytes of each buffer
 *
 * Return: the array, ready for vnic_recv() and to be freed by
 * vnic_packets_free(); NULL if there is no memory.
 */
struct vnic_packet *vnic_packets_new(unsigned int count, __u32 size);

/**
 * vnic_packets_free() - free what vnic_packets_new() has returned
 * @packets: the array, or NULL
 */
void vnic_packets_free(struct vnic_packet *packets);

/**
 * vnic_packets_reset() - make packets ready for vnic_recv() once more
 * @packets: the array; the addresses of the buffers stay
 * @count: how many of them; those that vnic_recv() has filled are enough
 * @size: bytes of each buffer
 */
static inline void vnic_packets_reset(struct vnic_packet *packets,
				      unsigned int count, __u32 size)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		__u64 addr = packets[i].addr;

		memset(&packets[i], 0, sizeof(packets[i]));
		packets[i].addr = addr;
		packets[i].len = size;
	}
}

/**
 * vnic_packet_set() - describe a packet for vnic_send()
 * @packet: takes the description, and no offloads
 * @data: a frame, or an IP packet; read when it is sent
 * @len: its bytes
 */
static inline void vnic_packet_set(struct vnic_packet *packet,
				   const void *data, __u32 len)
{
	memset(packet, 0, sizeof(*packet));
	packet->addr = (uintptr_t)data;
	packet->len = len;
}

/**
 * vnic_packet_data() - where is the packet?
 * @packet: of vnic_recv()
 *
 * Return: its first byte.
 */
static inline void *vnic_packet_data(const struct vnic_packet *packet)
{
	return (void *)(uintptr_t)packet->addr;
}

#ifdef __cplusplus
}
#endif

#endif
