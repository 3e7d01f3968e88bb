// SPDX-License-Identifier: GPL-2.0
/*
 * slow - memory that comes a millisecond late
 *
 * While the kernel waits for a page of it, other threads write to what it has
 * read before, and may read again: two threads alone seldom meet that closely.
 */
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include <linux/userfaultfd.h>

#include "fuzz.h"

#define PAGES	16
#define PAGE	4096

static unsigned char *slow;
static int fault_fd = -1;

static void *serve(void *arg)
{
	unsigned char *content = arg;
	struct uffd_msg message;
	struct uffdio_copy copy = { .src = (uintptr_t)content, .len = PAGE };

	while (read(fault_fd, &message, sizeof(message)) == sizeof(message)) {
		if (message.event != UFFD_EVENT_PAGEFAULT)
			continue;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		copy.dst = message.arg.pagefault.address & ~(PAGE - 1ULL);
		copy.copy = 0;
		/* It may be there already: two have waited for it. */
		ioctl(fault_fd, UFFDIO_COPY, &copy);
	}
	return NULL;
}

/**
 * slow_begin() - make such memory, where the kernel can
 */
void slow_begin(void)
{
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	static unsigned char content[PAGE];
	pthread_t thread;

	fault_fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (fault_fd < 0 || ioctl(fault_fd, UFFDIO_API, &api))
		return;
	slow = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area.range.start = (uintptr_t)slow;
	area.range.len = PAGES * PAGE;
	/* IPv4, or with Ethernet in front something that nobody knows. */
	content[0] = 0x45;
	content[6] = 2;
	if (slow == MAP_FAILED || ioctl(fault_fd, UFFDIO_REGISTER, &area) ||
	    pthread_create(&thread, NULL, serve, content)) {
		slow = NULL;
		return;
	}
	madvise(slow, PAGES * PAGE, MADV_DONTFORK);
	pthread_detach(thread);
}

/**
 * slow_page() - a page of it
 * @which: any number
 * @otherwise: what to take where there is no such memory
 *
 * Return: the page, not there at the moment.
 */
void *slow_page(unsigned int which, void *otherwise)
{
	unsigned char *page;

	if (!slow)
		return otherwise;
	page = slow + which % PAGES * PAGE;
	madvise(page, PAGE, MADV_DONTNEED);
	return page;
}
