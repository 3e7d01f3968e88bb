/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vnic: what user space needs to know of the virtual NIC drivers.
 *
 * /dev/vnic speaks the ABI of /dev/net/tun, so its ioctls, flags and packet
 * headers are those of <linux/if_tun.h>, byte for byte; nothing of it is
 * repeated here. What is new has ioctls of its own (VNIC_IOC_*), whose
 * structures have the same layout for 32-bit and 64-bit programs.
 */
#ifndef _UAPI_LINUX_VNIC_H
#define _UAPI_LINUX_VNIC_H

#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/veth.h>

/**
 * define VNIC_DEV_PATH - the character device behind vntun and vntap
 *
 * Open it once for each queue and attach with TUNSETIFF. Programs made for
 * /dev/net/tun run on it unmodified.
 */
#define VNIC_DEV_PATH		"/dev/vnic"

/* Link kinds, as in IFLA_INFO_KIND (``ip link add type KIND``). */
#define VNIC_KIND_DUMMY		"vndummy"
#define VNIC_KIND_VETH		"vnveth"
#define VNIC_KIND_TUN		"vntun"
#define VNIC_KIND_TAP		"vntap"

/**
 * enum vnic_dummy_attr - attributes of vndummy in IFLA_INFO_DATA
 * @VNIC_DUMMY_UNSPEC: not used
 * @VNIC_DUMMY_LOOPBACK: u8, 0 or 1: is what the device transmits received on
 *	it again, as it is? 0 unless given. May be changed.
 */
enum vnic_dummy_attr {
	VNIC_DUMMY_UNSPEC,
	VNIC_DUMMY_LOOPBACK = 32,
};

/**
 * enum vnic_veth_mode - values of VNIC_VETH_MODE
 * @VNIC_VETH_L2: packets have Ethernet headers
 * @VNIC_VETH_L3: packets are IPv4 or IPv6, without any header before that
 */
enum vnic_veth_mode {
	VNIC_VETH_L2,
	VNIC_VETH_L3,
};

/**
 * enum vnic_veth_attr - attributes of vnveth in IFLA_INFO_DATA
 * @VNIC_VETH_UNSPEC: not used
 * @VNIC_VETH_PEER: the peer: a struct ifinfomsg, whose ifi_index may ask for
 *	an interface index (0: the kernel chooses), then IFLA_* attributes of
 *	the peer: name, address, MTU, namespace and others. Only at creation.
 *	The same number and layout as VETH_INFO_PEER of <linux/veth.h>.
 * @VNIC_VETH_MODE: u8, &enum vnic_veth_mode; VNIC_VETH_L2 unless given. Of
 *	both ends, and only at creation.
 * @VNIC_VETH_SCRUB: u8, 0 or 1: does a packet that this end sends lose its mark
 *	and priority when it comes into another namespace? 1 unless given.
 * @VNIC_VETH_BACKPRESSURE: u8, 0 or 1: does a full ring of the peer stop a
 *	transmit queue of this end that has a qdisc, or is the packet lost?
 *	0 unless given.
 * @VNIC_VETH_BQL: u8, 0 or 1: do byte queue limits apply to such transmit
 *	queues? 0 unless given.
 *
 * The last three apply to both ends when the pair is made, and may be changed
 * for each end alone.
 *
 * Without VNIC_VETH_PEER the peer is called as IFLA_PARENT_DEV_NAME says, else vnveth%d,
 * and lives in the namespace that IFLA_LINK_NETNSID names, else in that of
 * the first end.
 */
enum vnic_veth_attr {
	VNIC_VETH_UNSPEC = VETH_INFO_UNSPEC,
	VNIC_VETH_PEER = VETH_INFO_PEER,
	VNIC_VETH_MODE = 32,
	VNIC_VETH_SCRUB,
	VNIC_VETH_BACKPRESSURE,
	VNIC_VETH_BQL,
};

/**
 * enum vnic_tun_attr - attributes of vntun and vntap in IFLA_INFO_DATA
 * @VNIC_TUN_UNSPEC: not used
 * @VNIC_TUN_OWNER: u32, user that may attach without CAP_NET_ADMIN, as a
 *	number in the sender's user namespace; 4294967295 for none
 * @VNIC_TUN_GROUP: u32, the same for a group. With both, both must match.
 * @VNIC_TUN_TYPE: u8, IFF_TUN or IFF_TAP; read only
 * @VNIC_TUN_PI: u8, 0 or 1. Given, every program has to attach with
 *	(without IFF_NO_PI) or without a packet information header; not given,
 *	each program chooses for its own file.
 * @VNIC_TUN_VNET_HDR: u8, 0 or 1, the same for IFF_VNET_HDR
 * @VNIC_TUN_PERSIST: u8, 0 or 1: does the device outlive its last program?
 *	1 unless given.
 * @VNIC_TUN_MULTI_QUEUE: u8, 1 for a device to which programs attach with
 *	IFF_MULTI_QUEUE. Follows from IFLA_NUM_TX_QUEUES, the number of queues
 *	(1 to 256), with which it must agree; only at creation.
 * @VNIC_TUN_NUM_QUEUES: u32, queues attached; read only, multi-queue only
 * @VNIC_TUN_NUM_DISABLED_QUEUES: u32, queues that TUNSETQUEUE has detached;
 *	read only, multi-queue only
 * @VNIC_TUN_BACKPRESSURE: u8, 0 or 1: does a full ring stop the transmit
 *	queue (as IFF_BACKPRESSURE) or drop?
 *
 * The numbers up to 9 are those of IFLA_TUN_* in <linux/if_link.h>. All but
 * the type and the number of queues may be changed while the device lives;
 * PI and VNET_HDR apply to programs that attach afterwards.
 */
enum vnic_tun_attr {
	VNIC_TUN_UNSPEC = IFLA_TUN_UNSPEC,
	VNIC_TUN_OWNER = IFLA_TUN_OWNER,
	VNIC_TUN_GROUP = IFLA_TUN_GROUP,
	VNIC_TUN_TYPE = IFLA_TUN_TYPE,
	VNIC_TUN_PI = IFLA_TUN_PI,
	VNIC_TUN_VNET_HDR = IFLA_TUN_VNET_HDR,
	VNIC_TUN_PERSIST = IFLA_TUN_PERSIST,
	VNIC_TUN_MULTI_QUEUE = IFLA_TUN_MULTI_QUEUE,
	VNIC_TUN_NUM_QUEUES = IFLA_TUN_NUM_QUEUES,
	VNIC_TUN_NUM_DISABLED_QUEUES = IFLA_TUN_NUM_DISABLED_QUEUES,
	VNIC_TUN_BACKPRESSURE = 32,
};

/**
 * define VNIC_UAPI_VERSION - version of the ioctls and structures below
 *
 * Grows when something is added; nothing that is there changes.
 */
#define VNIC_UAPI_VERSION	3

/**
 * define VNIC_BATCH_MAX - the most packets that one call may carry
 */
#define VNIC_BATCH_MAX		1024

/**
 * struct vnic_vnet - offloads of one packet, as virtio 1 lays them out
 * @flags: VIRTIO_NET_HDR_F_*
 * @gso_type: VIRTIO_NET_HDR_GSO_*
 * @hdr_len: bytes of all headers; a hint
 * @gso_size: payload bytes of each segment
 * @csum_start: where the checksum begins, in bytes from the packet's first
 * @csum_offset: where it is to be stored, in bytes from @csum_start
 * @num_buffers: 0
 * @hash_value: 0
 * @hash_report: 0
 * @reserved: 0
 * @outer_th_offset: of a packet in a UDP tunnel, the outer UDP header
 * @inner_nh_offset: of a packet in a UDP tunnel, the inner IP header
 *
 * Virtio 1.3, section 5.1.6, and struct virtio_net_hdr_v1_hash_tunnel of
 * <linux/virtio_net.h>, which older headers lack: the same 24 bytes, always
 * little endian. All zero for a packet with nothing left to do.
 */
struct vnic_vnet {
	__u8	flags;
	__u8	gso_type;
	__le16	hdr_len;
	__le16	gso_size;
	__le16	csum_start;
	__le16	csum_offset;
	__le16	num_buffers;
	__le32	hash_value;
	__le16	hash_report;
	__le16	reserved;
	__le16	outer_th_offset;
	__le16	inner_nh_offset;
};

/**
 * define VNIC_PACKET_TRUNC - the buffer was shorter than the packet
 *
 * Set in struct vnic_packet.flags by VNIC_IOC_RECV; the rest is lost.
 */
#define VNIC_PACKET_TRUNC	(1 << 0)

/**
 * struct vnic_packet - one packet of a batch
 * @addr: address of the packet, or of the buffer that shall take it: the
 *	Ethernet frame on a vntap, the IP packet on a vntun. There is neither a
 *	packet information header nor a virtio header before it, whatever the
 *	flags with which the file was attached.
 * @len: its length in bytes. VNIC_IOC_RECV: going in, that of the buffer;
 *	coming out, that of the packet, which may be more.
 * @result: out: 0, or a negative errno for what became of this packet alone:
 *	-EINVAL (too short, not IP, or a bad @vnet), -EMSGSIZE, -EFAULT,
 *	-ENOMEM, -EIO (device down), -EBUSY (IFF_NAPI on a detached queue, or
 *	IFF_NAPI_FRAGS and NAPI is running). Such a packet counts as dropped. 0
 *	is no promise that it arrives: the device may go down before the stack
 *	gets what this call has taken, which counts as dropped too.
 * @flags: VNIC_IOC_SEND: 0. VNIC_IOC_RECV: out: VNIC_PACKET_*
 * @proto: vntun: Ethernet protocol number, in network byte order.
 *	VNIC_IOC_SEND: 0 for what the packet's first four bits say. vntap: not
 *	looked at, and 0 coming out.
 * @reserved: 0
 * @vnet: offloads
 */
struct vnic_packet {
	__aligned_u64		addr;
	__u32			len;
	__s32			result;
	__u16			flags;
	__be16			proto;
	__u32			reserved;
	struct vnic_vnet	vnet;
};

/**
 * struct vnic_batch - argument of VNIC_IOC_SEND and VNIC_IOC_RECV
 * @packets: address of an array of struct vnic_packet
 * @count: its entries, 0 to VNIC_BATCH_MAX
 * @min: entries for which to wait, 0 to @count. Without them the call sleeps,
 *	unless the file is O_NONBLOCK; with them it returns rather than sleep.
 * @flags: 0
 * @reserved: 0
 */
struct vnic_batch {
	__aligned_u64	packets;
	__u32		count;
	__u32		min;
	__u32		flags;
	__u32		reserved[3];
};

/**
 * define VNIC_RING_MIN - the shortest ring in shared memory, in bytes
 *
 * Room for two frames of 64 KB and what belongs to them: an empty ring has room
 * for every frame.
 */
#define VNIC_RING_MIN		(1 << 18)

/**
 * define VNIC_RING_MAX - the longest one, in bytes
 */
#define VNIC_RING_MAX		(1 << 24)

/**
 * define VNIC_FRAME_ALIGN - each frame in a ring begins at a multiple of this
 */
#define VNIC_FRAME_ALIGN	32

/**
 * define VNIC_FRAME_PAD - nothing up to the end of the ring
 *
 * In struct vnic_frame.flags: what comes next was too long to lie in one piece
 * before the end, and is at the beginning.
 */
#define VNIC_FRAME_PAD		(1 << 0)

/**
 * struct vnic_frame - what is in front of each frame in a ring
 * @len: bytes of the frame, which follows at once; 0 with VNIC_FRAME_PAD
 * @flags: 0 or VNIC_FRAME_PAD
 * @proto: as in struct vnic_packet
 * @vnet: offloads
 *
 * A frame takes sizeof(struct vnic_frame) + @len bytes of the ring, rounded up
 * to VNIC_FRAME_ALIGN, and never goes round its end.
 */
struct vnic_frame {
	__u32			len;
	__u16			flags;
	__be16			proto;
	struct vnic_vnet	vnet;
};

/**
 * struct vnic_ring_index - how far somebody has come, in a cache line of its own
 * @value: bytes since the ring was made, modulo 2^32; the position in the ring
 *	is the remainder of its division by the ring's size
 * @unused: nobody looks at it
 */
struct vnic_ring_index {
	__u32	value;
	__u32	unused[15];
};

/**
 * struct vnic_ring_head - the beginning of the shared memory
 * @recv_prod: the kernel has written as far as this
 * @recv_cons: the program has read as far as this
 * @recv_event: the program wants to be woken once @recv_prod is beyond this;
 *	until it is, poll() does not say POLLIN. For the very next frame it is
 *	what @recv_cons is.
 * @send_prod: the program has written as far as this
 * @send_cons: the kernel has read as far as this
 *
 * Read with acquire and written with release semantics, after and before the
 * bytes that they are about. The kernel has its own copies of those that it
 * writes. Going to sleep: write @recv_event, a full fence, then look at
 * @recv_prod once more.
 */
struct vnic_ring_head {
	struct vnic_ring_index	recv_prod;
	struct vnic_ring_index	recv_cons;
	struct vnic_ring_index	recv_event;
	struct vnic_ring_index	send_prod;
	struct vnic_ring_index	send_cons;
};

/**
 * struct vnic_ring_setup - argument of VNIC_IOC_RING_SETUP
 * @recv_size: bytes of the ring from the stack to the program: 0 for none, or a
 *	power of two from VNIC_RING_MIN to VNIC_RING_MAX
 * @send_size: the same for the other way; one of them has to be there
 * @recv_offset: out: where that ring begins in the shared memory
 * @send_offset: out: the same for the other
 * @map_size: out: bytes to mmap(), with MAP_SHARED and from offset 0; struct
 *	vnic_ring_head is at the beginning
 * @flags: 0
 * @reserved: 0
 */
struct vnic_ring_setup {
	__u32	recv_size;
	__u32	send_size;
	__u32	recv_offset;
	__u32	send_offset;
	__u32	map_size;
	__u32	flags;
	__u32	reserved[2];
};

#define VNIC_IOC_MAGIC		0xF7

/**
 * define VNIC_IOC_VERSION - what does this kernel speak?
 *
 * Takes a pointer to a __u32 and writes VNIC_UAPI_VERSION to it; needs no
 * device. Errors: EFAULT.
 */
#define VNIC_IOC_VERSION	_IOR(VNIC_IOC_MAGIC, 0, __u32)

/**
 * define VNIC_IOC_SEND - give the stack many packets
 *
 * Takes a struct vnic_batch. Entries are taken in order; of each one that was
 * taken @result is written back. One that is refused by itself does not end
 * the call. Sleeps only for room in a send buffer that TUNSETSNDBUF has
 * limited.
 *
 * Returns how many entries were taken. If none was: 0 if @count is 0, EAGAIN
 * (no room, and it may not sleep), EINTR (a signal), EFAULT (the array is not
 * there), EINVAL (a field out of range or not 0), ENOMEM, EBADFD (no device, or
 * it went while the call slept).
 *
 * An entry that cannot be read, or in which a field that has to be 0 is not,
 * ends the call before that entry; one that cannot be written back ends it
 * there, and does not count although its packet has been dealt with.
 */
#define VNIC_IOC_SEND		_IOW(VNIC_IOC_MAGIC, 1, struct vnic_batch)

/**
 * define VNIC_IOC_RECV - take many packets from the stack
 *
 * Takes a struct vnic_batch. Entries are filled in order, as long as there are
 * packets; sleeps until there were @min of them.
 *
 * Returns how many entries were filled. If none was: 0 if @count is 0, EAGAIN
 * (no packet, and it may not sleep, as with @min of 0), and otherwise as
 * VNIC_IOC_SEND.
 */
#define VNIC_IOC_RECV		_IOW(VNIC_IOC_MAGIC, 2, struct vnic_batch)

/**
 * define VNIC_IOC_RING_SETUP - share memory, through which packets come and go
 *
 * Takes a struct vnic_ring_setup, on a file that is attached. Once for each
 * file: the memory is charged to the caller's memory cgroup and there until the
 * file is closed and unmapped, over detaching and attaching again.
 *
 * With a ring from the stack to the program, every packet is copied there as
 * soon as it is transmitted, and dropped if there is no room (tx_full);
 * read() and VNIC_IOC_RECV say EINVAL. What has waited for them comes first. The
 * other ring leaves write() and VNIC_IOC_SEND as they are. One thread at a time
 * may use each ring.
 *
 * Errors: EINVAL (sizes, a field that is not 0, or IFF_BACKPRESSURE, which needs
 * to know when there is room), EBUSY (the file has its rings, or packets go to
 * its socket, see VNIC_IOC_SOCKET), EBADFD (no device), EFAULT, ENOMEM, EOPNOTSUPP
 * (a machine on which a program does not see what the kernel has written).
 */
#define VNIC_IOC_RING_SETUP	_IOWR(VNIC_IOC_MAGIC, 3, struct vnic_ring_setup)

/**
 * define VNIC_IOC_RING_SEND - give the stack what is in the ring
 *
 * No argument. Frames are taken as far as @send_prod was when the call began;
 * @send_cons says how far that was, also while the call goes on. What becomes of
 * each is in the counters of the device.
 *
 * Returns how many were taken. If none was: 0 if there was none, EINVAL (no such
 * ring, @send_prod cannot be, or a frame that goes beyond it, beyond the end, or
 * with a field that is not 0: nothing is taken until that is mended), EAGAIN (no
 * room in a send buffer that TUNSETSNDBUF has limited, and it may not sleep),
 * EINTR, ENOMEM, EBADFD.
 */
#define VNIC_IOC_RING_SEND	_IO(VNIC_IOC_MAGIC, 4)

/**
 * define VNIC_IOC_RING_WAIT - sleep until the stack has sent something
 *
 * No argument. As poll() for POLLIN, but cheaper: returns 0 once @recv_prod is
 * beyond @recv_event.
 *
 * Errors: EINVAL (no such ring), EAGAIN (it is not, and the file is O_NONBLOCK),
 * EINTR, EBADFD (no device, or it went while the call slept).
 */
#define VNIC_IOC_RING_WAIT	_IO(VNIC_IOC_MAGIC, 5)

/**
 * define VNIC_IOC_SOCKET - the queue of this file as a socket
 *
 * The argument is a number: 0, or O_CLOEXEC and O_NONBLOCK. Returns a file
 * descriptor that vhost-net takes as back end (VHOST_NET_SET_BACKEND) and QEMU
 * as ``-netdev tap,fd=N,vhost=on``: a raw socket of AF_PACKET by its type, in
 * all else this queue. read() and recv(), write() and send(), poll() and the
 * ioctls here and in <linux/if_tun.h> do on it what they do on the file, headers
 * included; the file goes on working too. One at a time; it keeps the file open.
 *
 * sendmsg() with a control message says EINVAL; an address is not looked at.
 * MSG_PEEK says EINVAL. Of the options of SOL_SOCKET none has an effect on
 * packets, and a filter cannot be attached (EPERM): TUNATTACHFILTER can.
 *
 * Errors: EINVAL (other flags), EBADFD (no device), EBUSY (there is one that is
 * open, or packets go to a ring in shared memory), EMFILE, ENFILE, ENOMEM.
 */
#define VNIC_IOC_SOCKET		_IO(VNIC_IOC_MAGIC, 6)

#endif /* _UAPI_LINUX_VNIC_H */
