// SPDX-License-Identifier: GPL-2.0
/*
 * shared - rings in memory that a program shares with us
 *
 *	| head | recv: frames | send: frames |
 *
 *	stack --> vnic_shared_produce() --> recv --> program, without a call
 *	program --> send --> VNIC_IOC_RING_SEND, in sharedsend.c
 *
 * The pages are allocated one by one and mapped twice: here for good, and by
 * the program as it likes; each mapping holds the pages, so that nothing has to
 * be known of when the last one goes. <uapi/linux/vnic.h> has the layout.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "trace.h"
#include "vnic.h"

static bool vnic_shared_size_valid(u32 size)
{
	return !size || (is_power_of_2(size) && size >= VNIC_RING_MIN &&
			 size <= VNIC_RING_MAX);
}

/* The program is told where what is, before anything can fail for it. */
static int vnic_shared_layout(struct vnic_ring_setup *setup)
{
	if (setup->flags || setup->reserved[0] || setup->reserved[1] ||
	    !vnic_shared_size_valid(setup->recv_size) ||
	    !vnic_shared_size_valid(setup->send_size) ||
	    !(setup->recv_size | setup->send_size))
		return -EINVAL;
	setup->recv_offset = PAGE_ALIGN(sizeof(struct vnic_ring_head));
	setup->send_offset = setup->recv_offset + setup->recv_size;
	setup->map_size = setup->send_offset + setup->send_size;
	return 0;
}

/**
 * vnic_shared_free() - free the rings of a queue
 * @shared: them, or NULL; nobody finds them any more
 *
 * Context: process.
 */
void vnic_shared_free(struct vnic_shared *shared)
{
	if (!shared)
		return;
	if (shared->head)
		vunmap(shared->head);
	while (shared->count)
		put_page(shared->pages[--shared->count]);
	kvfree(shared->pages);
	mutex_destroy(&shared->lock);
	kfree(shared);
}

static struct vnic_shared *vnic_shared_alloc(const struct vnic_ring_setup *setup)
{
	unsigned int n = setup->map_size >> PAGE_SHIFT;
	struct vnic_shared *shared;
	struct page *page;

	shared = kzalloc(sizeof(*shared), GFP_KERNEL_ACCOUNT);
	if (!shared)
		return NULL;
	mutex_init(&shared->lock);
	shared->pages = kvcalloc(n, sizeof(page), GFP_KERNEL_ACCOUNT);
	if (!shared->pages)
		goto free;
	while (shared->count < n) {
		page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO |
				  __GFP_NOWARN);
		if (!page)
			goto free;
		shared->pages[shared->count++] = page;
		cond_resched();
	}
	shared->head = vmap(shared->pages, n, VM_MAP, PAGE_KERNEL);
	if (!shared->head)
		goto free;
	shared->recv.data = (u8 *)shared->head + setup->recv_offset;
	shared->recv.size = setup->recv_size;
	shared->send.data = (u8 *)shared->head + setup->send_offset;
	shared->send.size = setup->send_size;
	return shared;

free:
	vnic_shared_free(shared);
	return NULL;
}

/* How much room the program has left; what it says is looked at if need be. */
static bool vnic_shared_has_room(struct vnic_shared *shared, u32 need)
{
	struct vnic_half *recv = &shared->recv;
	u32 used = recv->pos - recv->seen, seen;

	if (likely(recv->size - used >= need))
		return true;
	/* What was read is over there before anything is written over it. */
	seen = smp_load_acquire(&shared->head->recv_cons.value);
	/* Forward, and not beyond what there is, or it is as if not said. */
	if (recv->pos - seen <= used)
		WRITE_ONCE(recv->seen, seen);
	return recv->size - (recv->pos - recv->seen) >= need;
}

/*
 * A frame into the ring. Returns 0, or why not; *@wake says whether the program
 * waits for it. Context: the producer lock of the queue's ring.
 */
static enum vnic_counter vnic_shared_put(struct vnic_port *port,
					 struct vnic_shared *shared,
					 const void *ptr, unsigned int len,
					 bool *wake)
{
	u32 need = ALIGN(sizeof(struct vnic_frame) + len, VNIC_FRAME_ALIGN);
	struct vnic_half *recv = &shared->recv;
	u32 at = recv->pos & (recv->size - 1);
	u32 pad = need > recv->size - at ? recv->size - at : 0;
	u32 from = recv->pos;
	enum vnic_counter counter;

	if (unlikely(!vnic_shared_has_room(shared, pad + need)))
		return VNIC_TX_FULL;
	if (unlikely(pad)) {
		*(struct vnic_frame *)(recv->data + at) = (struct vnic_frame) {
			.flags = VNIC_FRAME_PAD,
		};
		at = 0;
	}
	counter = vnic_recv_frame(port, ptr, len, (void *)(recv->data + at));
	if (unlikely(counter))
		return counter;
	WRITE_ONCE(recv->pos, from + pad + need);
	/* Pairs with the program's acquire: the frame is there before it. */
	smp_store_release(&shared->head->recv_prod.value, recv->pos);
	/* Pairs with the program's fence before it looks at recv_prod. */
	smp_mb();
	*wake = recv->pos - READ_ONCE(shared->head->recv_event.value) - 1 <
		recv->pos - from;
	return 0;
}

/* The program has it; to whom it belonged need not wait for it. */
static void vnic_shared_release(void *ptr)
{
	if (vnic_ring_is_xdp(ptr))
		xdp_return_frame(vnic_ring_to_xdp(ptr));
	else
		napi_consume_skb(ptr, !in_hardirq() && !irqs_disabled());
}

/**
 * vnic_shared_produce() - put a packet into the memory of the program
 * @port: the device
 * @queue: a queue for which vnic_shared_has_recv()
 * @ptr: the packet, as an entry of the ring; taken if the answer is 0, still
 *	the caller's if not
 *
 * Wakes the program if it waits for that.
 *
 * Context: bottom halves off, RCU or RTNL.
 * Return: 0, or the counter of the reason for which it has to be dropped.
 */
enum vnic_counter vnic_shared_produce(struct vnic_port *port,
				      struct vnic_queue *queue, void *ptr)
{
	unsigned int index = READ_ONCE(queue->index), len = vnic_recv_len(ptr);
	struct vnic_shared *shared = vnic_shared_of(queue);
	enum vnic_counter counter;
	bool wake = false;

	spin_lock(&queue->ring.producer_lock);
	counter = vnic_shared_put(port, shared, ptr, len, &wake);
	spin_unlock(&queue->ring.producer_lock);
	if (unlikely(counter)) {
		if (counter == VNIC_TX_FULL)
			vnic_trace(full, port->dev, index, ptr,
				   VNIC_PLACE_SHARED, &shared->recv);
		return counter;
	}
	vnic_count_packets(port, index, VNIC_TX_PACKETS, 1, len);
	vnic_trace(taken, port->dev, index, ptr);
	vnic_shared_release(ptr);
	if (wake)
		vnic_queue_wake_reader(port, queue);
	return 0;
}

/**
 * vnic_shared_readable() - has come what the program waits for?
 * @queue: a queue for which vnic_shared_has_recv()
 *
 * Context: process, on the wait queue already.
 * Return: true if it has.
 */
bool vnic_shared_readable(struct vnic_queue *queue)
{
	struct vnic_shared *shared = vnic_shared_of(queue);

	/* Pairs with smp_mb() in vnic_shared_put(). */
	smp_mb();
	return (s32)(READ_ONCE(shared->recv.pos) -
		     READ_ONCE(shared->head->recv_event.value)) > 0;
}

/**
 * vnic_shared_wait() - VNIC_IOC_RING_WAIT
 * @queue: the queue
 * @noblock: the file is O_NONBLOCK
 *
 * Context: process, sleeps.
 * Return: 0, -EINVAL, -EAGAIN, -ERESTARTSYS or -EBADFD, as <uapi/linux/vnic.h>
 * says.
 */
int vnic_shared_wait(struct vnic_queue *queue, bool noblock)
{
	int err;

	if (!vnic_shared_has_recv(queue))
		return rcu_access_pointer(queue->port) ? -EINVAL : -EBADFD;
	if (vnic_shared_readable(queue))
		return 0;
	if (noblock)
		return rcu_access_pointer(queue->port) ? -EAGAIN : -EBADFD;
	err = vnic_queue_wait(queue, 1, true);
	if (err > 0)
		return 0;
	return err == -EFAULT ? -EBADFD : err;
}

/* What has waited for read() goes first, and whoever is in read() leaves. */
static void vnic_shared_move(struct vnic_port *port, struct vnic_queue *queue)
{
	enum vnic_counter counter;
	void *ptr;

	while ((ptr = ptr_ring_consume_bh(&queue->ring))) {
		local_bh_disable();
		counter = vnic_shared_produce(port, queue, ptr);
		local_bh_enable();
		if (counter)
			vnic_recv_lose(port, queue, ptr, counter);
	}
	wake_up_interruptible_all(&queue->socket.wq.wait);
}

static int vnic_shared_publish(struct vnic_queue *queue,
			       struct vnic_shared *shared)
{
	struct vnic_port *port = rtnl_dereference(queue->port);

	if (!port)
		return -EBADFD;
	if (queue->shared || (shared->recv.size && queue->raw))
		return -EBUSY;
	if (shared->recv.size && vnic_queue_backpressure(port, queue))
		return -EINVAL;
	/* Pairs with smp_load_acquire() in vnic_shared_of(). */
	smp_store_release(&queue->shared, shared);
	if (shared->recv.size) {
		/* Nothing is put into the old ring afterwards. */
		synchronize_net();
		vnic_shared_move(port, queue);
	}
	return 0;
}

/**
 * vnic_shared_setup() - VNIC_IOC_RING_SETUP
 * @queue: the queue
 * @user: the argument
 *
 * Context: process; takes RTNL, waits for RCU.
 * Return: 0, -EINVAL, -EBUSY, -EBADFD, -EFAULT, -ENOMEM or -EOPNOTSUPP, as
 * <uapi/linux/vnic.h> says.
 */
int vnic_shared_setup(struct vnic_queue *queue,
		      struct vnic_ring_setup __user *user)
{
	struct vnic_ring_setup setup;
	struct vnic_shared *shared;
	int err;

	/* Both mappings would want to be in the same lines of its cache. */
	if (IS_ENABLED(CONFIG_ARCH_HAS_CPU_CACHE_ALIASING))
		return -EOPNOTSUPP;
	if (copy_from_user(&setup, user, sizeof(setup)))
		return -EFAULT;
	err = vnic_shared_layout(&setup);
	if (err)
		return err;
	/* Memory is for those who were let in; looked at again under RTNL. */
	if (!rcu_access_pointer(queue->port))
		return -EBADFD;
	if (READ_ONCE(queue->shared))
		return -EBUSY;
	shared = vnic_shared_alloc(&setup);
	if (!shared)
		return -ENOMEM;
	if (copy_to_user(user, &setup, sizeof(setup))) {
		vnic_shared_free(shared);
		return -EFAULT;
	}
	rtnl_lock();
	err = vnic_shared_publish(queue, shared);
	rtnl_unlock();
	if (err)
		vnic_shared_free(shared);
	return err;
}

/**
 * vnic_shared_is_used() - has a queue of the device vnic_shared_has_recv()?
 * @port: the device
 *
 * Context: process, RTNL held.
 * Return: true if one has, attached or detached.
 */
bool vnic_shared_is_used(struct vnic_port *port)
{
	struct vnic_queue *queue;
	unsigned int i;

	for (i = 0; i < port->numqueues; i++) {
		queue = rtnl_dereference(port->slots[i].queue);
		if (vnic_shared_has_recv(queue))
			return true;
	}
	list_for_each_entry(queue, &port->disabled, next) {
		if (vnic_shared_has_recv(queue))
			return true;
	}
	return false;
}

/**
 * vnic_shared_show() - what fdinfo tells of it
 * @queue: the queue
 * @seq: where to
 *
 * Context: process.
 */
void vnic_shared_show(struct vnic_queue *queue, struct seq_file *seq)
{
	struct vnic_shared *shared = vnic_shared_of(queue);

	if (shared)
		seq_printf(seq, "vnic-rings:\t%u %u\n", shared->recv.size,
			   shared->send.size);
}

/**
 * vnic_shared_mmap() - mmap() on the fd
 * @queue: the queue
 * @vma: where to
 *
 * Context: process, the mmap lock held for writing.
 * Return: 0; -EINVAL for a private mapping or without rings; -ENXIO beyond
 * their end; -ENOMEM.
 */
int vnic_shared_mmap(struct vnic_queue *queue, struct vm_area_struct *vma)
{
	struct vnic_shared *shared = vnic_shared_of(queue);

	if (!shared || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	return vm_map_pages(vma, shared->pages, shared->count);
}
