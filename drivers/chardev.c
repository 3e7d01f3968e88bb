// SPDX-License-Identifier: GPL-2.0
/*
 * chardev - /dev/vnic, the file that a program reads and writes packets on
 *
 *	program --> read, write, poll, ioctl --> queue
 *
 * A thin face: it finds the device of a call, decides whether to sleep, and
 * leaves packets to send.c and recv.c. One open file is one queue. What it
 * shares with the other face, the socket, is in face.c.
 */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/poll.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/uio.h>

#include "vnic.h"

static bool vnic_noblock(const struct kiocb *iocb)
{
	return (iocb->ki_filp->f_flags & O_NONBLOCK) ||
	       (iocb->ki_flags & IOCB_NOWAIT);
}

static ssize_t vnic_chardev_write_iter(struct kiocb *iocb,
				       struct iov_iter *from)
{
	struct vnic_queue *queue = iocb->ki_filp->private_data;
	struct vnic_port *port = vnic_port_get(queue);
	ssize_t ret;

	if (!port)
		return -EBADFD;
	ret = vnic_send(port, queue, from, vnic_noblock(iocb));
	vnic_port_put(port);
	return ret;
}

static ssize_t vnic_chardev_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct vnic_queue *queue = iocb->ki_filp->private_data;
	ssize_t room = iov_iter_count(to), ret;

	ret = min(vnic_face_read(queue, to, vnic_noblock(iocb)), room);
	if (ret > 0)
		iocb->ki_pos = ret;
	return ret;
}

static __poll_t vnic_chardev_poll(struct file *file, poll_table *wait)
{
	return vnic_face_poll(file->private_data, file, wait);
}

static long vnic_chardev_ioctl(struct file *file, unsigned int cmd,
			       unsigned long arg)
{
	/* Asked for again and again: not by way of all the others. */
	if (cmd == VNIC_IOC_SEND || cmd == VNIC_IOC_RECV)
		return vnic_batch(file->private_data, cmd, (void __user *)arg,
				  file->f_flags & O_NONBLOCK);
	if (cmd == VNIC_IOC_SOCKET)
		return vnic_socket_open(file->private_data, file, arg);
	return vnic_ioctl(file->private_data, cmd, arg, sizeof(struct ifreq),
			  file->f_flags & O_NONBLOCK);
}

static long vnic_chardev_compat_ioctl(struct file *file, unsigned int cmd,
				      unsigned long arg)
{
	if (cmd == VNIC_IOC_SOCKET)
		return vnic_chardev_ioctl(file, cmd, (compat_ulong_t)arg);
	return vnic_compat_ioctl(file->private_data, cmd, arg,
				 file->f_flags & O_NONBLOCK);
}

static int vnic_chardev_mmap(struct file *file, struct vm_area_struct *vma)
{
	return vnic_shared_mmap(file->private_data, vma);
}

static int vnic_chardev_fasync(int fd, struct file *file, int on)
{
	struct vnic_queue *queue = file->private_data;
	int err;

	if (on) {
		err = file_f_owner_allocate(file);
		if (err)
			return err;
	}
	err = fasync_helper(fd, file, on, &queue->fasync);
	if (err < 0)
		return err;
	/* Programs that never call F_SETOWN rely on it. */
	if (on)
		__f_setown(file, task_pid(current), PIDTYPE_TGID, 0);
	return 0;
}

static int vnic_chardev_open(struct inode *inode, struct file *file)
{
	struct vnic_queue *queue;

	queue = vnic_queue_alloc(current->nsproxy->net_ns);
	if (!queue)
		return -ENOMEM;
	file->private_data = queue;
	/* Asked not to, no call waits for a packet or for room. */
	file->f_mode |= FMODE_NOWAIT;
	return 0;
}

static int vnic_chardev_release(struct inode *inode, struct file *file)
{
	struct vnic_queue *queue = file->private_data;

	vnic_attach_end(queue);
	vnic_queue_free(queue);
	return 0;
}

static void vnic_chardev_show_fdinfo(struct seq_file *seq, struct file *file)
{
	vnic_face_show(file->private_data, seq);
}

static const struct file_operations vnic_chardev_fops = {
	.owner		= THIS_MODULE,
	.open		= vnic_chardev_open,
	.release	= vnic_chardev_release,
	.read_iter	= vnic_chardev_read_iter,
	.write_iter	= vnic_chardev_write_iter,
	.poll		= vnic_chardev_poll,
	.unlocked_ioctl	= vnic_chardev_ioctl,
	.compat_ioctl	= vnic_chardev_compat_ioctl,
	.mmap		= vnic_chardev_mmap,
	.fasync		= vnic_chardev_fasync,
	.show_fdinfo	= vnic_chardev_show_fdinfo,
};

/* Anybody may open it: what an fd may do is decided when it attaches. */
static struct miscdevice vnic_chardev_misc = {
	.minor		= MISC_DYNAMIC_MINOR,
	.name		= "vnic",
	.mode		= 0666,
	.fops		= &vnic_chardev_fops,
};

/**
 * vnic_chardev_init() - make /dev/vnic
 *
 * Context: process.
 * Return: 0 or as misc_register().
 */
int vnic_chardev_init(void)
{
	return misc_register(&vnic_chardev_misc);
}

/**
 * vnic_chardev_exit() - take /dev/vnic away
 *
 * Context: process; no file is open, or the module could not be unloaded.
 */
void vnic_chardev_exit(void)
{
	misc_deregister(&vnic_chardev_misc);
}
