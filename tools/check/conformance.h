/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What takes macvtap's place in the kernel's net/tap.c: a device that
 * TUNSETIFF makes, on the file that VNIC_DEV names. tools/check/conformance
 * includes this before everything else, and changes the calls in the test.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Nothing to stack the device on, and nothing to make before it is opened. */
#define no_device(...) 0

/* An open file whose device is up: one that is down takes no packet. */
static int open_device(const char *name)
{
	const char *path = getenv("VNIC_DEV");
	struct ifreq ifr = {
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR |
			     IFF_MULTI_QUEUE,
	};
	int fd, sk, ret;

	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	fd = open(path ? path : "/dev/net/tun", O_RDWR | O_NONBLOCK);
	if (fd < 0) {
		perror("open");
		return -1;
	}
	ret = ioctl(fd, TUNSETIFF, &ifr);
	if (!ret) {
		sk = socket(AF_INET, SOCK_DGRAM, 0);
		ifr.ifr_flags = IFF_UP;
		ret = ioctl(sk, SIOCSIFFLAGS, &ifr);
		close(sk);
	}
	if (ret) {
		perror("ioctl");
		close(fd);
		return -1;
	}
	return fd;
}
