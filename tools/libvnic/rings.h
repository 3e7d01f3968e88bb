/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rings - the part of libvnic that needs no system call while there is work:
 * packets through memory that the kernel shares.
 */
#ifndef LIBVNIC_RINGS_H
#define LIBVNIC_RINGS_H

#include "libvnic.h"

struct rings;

/* Those of a file, or NULL. */
struct rings *rings_of(int fd);

/* Does this file receive, or send, through a ring? */
int rings_receive(const struct rings *rings);
int rings_send(const struct rings *rings);

/* As vnic_recv() and vnic_send(). */
int rings_recv_packets(struct rings *rings, int fd,
		       struct vnic_packet *packets, unsigned int count,
		       unsigned int min);
int rings_send_packets(struct rings *rings, int fd,
		       struct vnic_packet *packets, unsigned int count);

/* The file is closed, or was: nobody finds its rings any more. */
void rings_forget(int fd);

#endif
