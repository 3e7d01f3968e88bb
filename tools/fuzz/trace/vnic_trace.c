// SPDX-License-Identifier: GPL-2.0
/*
 * vnic_trace - coverage of vnic.ko on kernels without KCOV
 *
 * A stock kernel is some twenty times faster than one with KASAN and KCOV, but
 * does not tell what was passed. vnic.ko itself can be compiled so that it asks
 * at every block (-fsanitize-coverage=trace-pc); this module answers, with the
 * interface of KCOV for KCOV_TRACE_PC: /sys/kernel/debug/vnic_trace.
 *
 * Softirqs count for the task that they interrupt. Bit 63 of what they pass is
 * 0, which no address in the kernel has.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kcov.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define TRACE_MAX	32
#define TRACE_SIZE_MAX	0x100000

struct trace {
	struct task_struct	*task;
	u64			*area;
	unsigned long		size;
};

static struct trace __rcu *traces[TRACE_MAX];
static DEFINE_MUTEX(trace_mutex);
static struct dentry *trace_file;

static notrace void trace_add(struct trace *trace, u64 pc)
{
	u64 at = READ_ONCE(trace->area[0]) + 1;

	if (at >= trace->size)
		return;
	WRITE_ONCE(trace->area[0], at);
	trace->area[at] = pc;
}

void __sanitizer_cov_trace_pc(void);

/* Called by vnic.ko at every block. */
notrace void __sanitizer_cov_trace_pc(void)
{
	u64 pc = _RET_IP_;
	struct trace *trace;
	unsigned int i;

	if (in_hardirq() || in_nmi())
		return;
	if (in_serving_softirq())
		pc &= ~BIT_ULL(63);
	preempt_disable_notrace();
	for (i = 0; i < TRACE_MAX; i++) {
		trace = rcu_dereference_sched(traces[i]);
		if (trace && READ_ONCE(trace->task) == current) {
			trace_add(trace, pc);
			break;
		}
	}
	preempt_enable_notrace();
}
EXPORT_SYMBOL(__sanitizer_cov_trace_pc);

static int trace_open(struct inode *inode, struct file *file)
{
	struct trace *trace = kzalloc(sizeof(*trace), GFP_KERNEL);

	file->private_data = trace;
	return trace ? 0 : -ENOMEM;
}

static int trace_release(struct inode *inode, struct file *file)
{
	struct trace *trace = file->private_data;
	unsigned int i;

	mutex_lock(&trace_mutex);
	for (i = 0; i < TRACE_MAX; i++)
		if (rcu_access_pointer(traces[i]) == trace)
			RCU_INIT_POINTER(traces[i], NULL);
	mutex_unlock(&trace_mutex);
	synchronize_rcu();
	vfree(trace->area);
	kfree(trace);
	return 0;
}

static int trace_init_area(struct trace *trace, unsigned long size)
{
	if (trace->area)
		return -EBUSY;
	if (size < 2 || size > TRACE_SIZE_MAX)
		return -EINVAL;
	trace->area = vmalloc_user(size * sizeof(*trace->area));
	if (!trace->area)
		return -ENOMEM;
	trace->size = size;
	return 0;
}

static int trace_enable(struct trace *trace)
{
	unsigned int i;

	if (!trace->area)
		return -EINVAL;
	if (trace->task)
		return -EBUSY;
	for (i = 0; i < TRACE_MAX; i++) {
		if (rcu_access_pointer(traces[i]))
			continue;
		trace->task = current;
		rcu_assign_pointer(traces[i], trace);
		return 0;
	}
	return -EBUSY;
}

static long trace_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct trace *trace = file->private_data;
	long ret;

	mutex_lock(&trace_mutex);
	switch (cmd) {
	case KCOV_INIT_TRACE:
		ret = trace_init_area(trace, arg);
		break;
	case KCOV_ENABLE:
		ret = arg == KCOV_TRACE_PC ? trace_enable(trace) : -EINVAL;
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&trace_mutex);
	return ret;
}

static int trace_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct trace *trace = file->private_data;

	if (!trace->area)
		return -EINVAL;
	return remap_vmalloc_range(vma, trace->area, vma->vm_pgoff);
}

static const struct file_operations trace_fops = {
	.owner		= THIS_MODULE,
	.open		= trace_open,
	.release	= trace_release,
	.unlocked_ioctl	= trace_ioctl,
	.mmap		= trace_mmap,
};

static int __init trace_init(void)
{
	trace_file = debugfs_create_file_unsafe("vnic_trace", 0600, NULL, NULL,
						&trace_fops);
	return PTR_ERR_OR_ZERO(trace_file);
}

static void __exit trace_exit(void)
{
	debugfs_remove(trace_file);
}

module_init(trace_init);
module_exit(trace_exit);
MODULE_DESCRIPTION("Coverage of vnic.ko on kernels without KCOV");
MODULE_LICENSE("GPL");
