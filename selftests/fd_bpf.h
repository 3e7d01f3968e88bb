/* SPDX-License-Identifier: GPL-2.0 */
/* XDP programs (bpf.h) in the tests of the character device. */
#ifndef FD_BPF_H
#define FD_BPF_H

#include "fd.h"

#include "bpf.h"

/* Attaches an XDP program, or none (-1). */
static inline int xdp_attach(int index, int prog, __u32 flags)
{
	struct request r = request_new(RTM_NEWLINK, 0, index);
	struct rtattr *xdp = request_put(&r, IFLA_XDP | NLA_F_NESTED, NULL, 0);

	request_put(&r, IFLA_XDP_FD, &prog, sizeof(prog));
	request_put(&r, IFLA_XDP_FLAGS, &flags, sizeof(flags));
	request_end(&r, xdp);
	return request_do(&r);
}

#endif
