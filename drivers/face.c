// SPDX-License-Identifier: GPL-2.0
/*
 * face - what the faces of a queue share: the file (chardev.c), the socket
 * (socket.c)
 */
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/uio.h>

#include "vnic.h"

/* One look. Returns -EAGAIN if there was nothing. */
static ssize_t vnic_face_read_one(struct vnic_queue *queue,
				  struct iov_iter *to)
{
	struct vnic_port *port = vnic_port_get(queue);
	void *packet;
	ssize_t ret;

	if (!port)
		return -EBADFD;
	ret = iov_iter_count(to) ? -EAGAIN : 0;
	if (vnic_shared_has_recv(queue))
		ret = -EINVAL;
	else if (ret && vnic_queue_consume(port, queue, &packet, 1))
		ret = vnic_recv(port, queue, packet, to);
	vnic_port_put(port);
	return ret;
}

/**
 * vnic_face_read() - read() and recv(): one packet for the program
 * @queue: the queue
 * @to: as vnic_recv() has it
 * @noblock: -EAGAIN rather than sleep for a packet
 *
 * Context: process, may sleep.
 * Return: as vnic_recv(), 0 at once where there is no room for anything, or
 * -EAGAIN, -EBADFD or as vnic_queue_wait().
 */
ssize_t vnic_face_read(struct vnic_queue *queue, struct iov_iter *to,
		       bool noblock)
{
	ssize_t ret;

	while ((ret = vnic_face_read_one(queue, to)) == -EAGAIN) {
		if (noblock)
			return -EAGAIN;
		ret = vnic_queue_wait(queue, 1, false);
		if (ret < 0)
			return ret;
	}
	return ret;
}

/**
 * vnic_face_poll() - is there something to read, is there room to write
 * @queue: the queue
 * @file: by which it is asked
 * @wait: of the caller's
 *
 * Context: process.
 * Return: EPOLLIN, EPOLLOUT and their like; EPOLLERR without a device.
 */
__poll_t vnic_face_poll(struct vnic_queue *queue, struct file *file,
			poll_table *wait)
{
	struct vnic_port *port = vnic_port_get(queue);
	__poll_t mask = 0;

	if (!port)
		return EPOLLERR;
	poll_wait(file, &queue->socket.wq.wait, wait);
	if (vnic_shared_has_recv(queue) ? vnic_shared_readable(queue) :
					  !vnic_queue_is_empty(queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (vnic_queue_writable(queue, port->dev))
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (READ_ONCE(port->dev->reg_state) != NETREG_REGISTERED)
		mask = EPOLLERR;
	vnic_port_put(port);
	return mask;
}

/**
 * vnic_face_show() - what fdinfo tells
 * @queue: the queue
 * @seq: where to
 *
 * Context: process.
 */
void vnic_face_show(struct vnic_queue *queue, struct seq_file *seq)
{
	struct vnic_port *port = vnic_port_get(queue);
	char name[IFNAMSIZ] = "";
	unsigned int index;

	if (port)
		vnic_port_get_name(port, name);
	seq_printf(seq, "iff:\t%s\n", name);
	if (!port)
		return;
	index = READ_ONCE(queue->index);
	seq_printf(seq, "vnic-flags:\t0x%x\n",
		   READ_ONCE(queue->flags) & VNIC_QUEUE_FLAGS);
	seq_printf(seq, "vnic-queue:\t%d\n",
		   index == VNIC_NO_SLOT ? -1 : (int)index);
	vnic_shared_show(queue, seq);
	if (vnic_socket_of(queue))
		seq_printf(seq, "vnic-socket:\t%u\n",
			   vnic_socket_len(queue->raw));
	vnic_port_put(port);
}
