/* SPDX-License-Identifier: GPL-2.0 */
/* Words of the kernel's that spatch does not know, and could not read us for. */
#define __uninitialized
