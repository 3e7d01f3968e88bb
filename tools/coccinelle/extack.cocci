// SPDX-License-Identifier: GPL-2.0
/// A request is refused by netlink without a word.
///
/// "RTNETLINK answers: Invalid argument" does not say which of twenty
/// attributes was meant. Where a function was given an extack, each refusal
/// sets a sentence there, or hands the extack on to whoever refuses.
///
/// Want of memory, or of room in a message, is no refusal.

virtual report

@in_fn@
identifier fn, ack;
@@

 fn(..., struct netlink_ext_ack *ack, ...) { ... }

@said exists@
identifier in_fn.fn, in_fn.ack, say;
expression E;
idexpression int err;
statement S1, S2;
constant C;
position p;
@@

 fn(...)
 {
 ... when any
 say(..., ack, ...);
 ... when != if (E) S1 else S2
(
 return@p \(-C\|ERR_PTR(-C)\);
|
 err@p = -C;
)
 ... when any
 }

@mute@
identifier in_fn.fn, label;
idexpression int err;
constant C != {ENOMEM, ENOBUFS, EMSGSIZE};
position p != said.p;
@@

 fn(...)
 {
 <+...
(
 return@p \(-C\|ERR_PTR(-C)\);
|
 err@p = -C;
 goto label;
)
 ...+>
 }

@script:python depends on report@
p << mute.p;
@@

coccilib.report.print_report(p[0], "refused without a sentence in extack")

@in_bpf@
identifier fn, bpf;
@@

 fn(..., struct netdev_bpf *bpf, ...) { ... }

@said_bpf exists@
identifier in_bpf.fn, in_bpf.bpf, say;
expression E;
statement S1, S2;
constant C;
position p;
@@

 fn(...)
 {
 ... when any
(
 say(..., bpf->extack, ...);
 ... when != if (E) S1 else S2
 return@p -C;
|
 if (bpf->command != E)
   return@p -C;
)
 ... when any
 }

@mute_bpf@
identifier in_bpf.fn;
constant C != {ENOMEM, ENOBUFS, EMSGSIZE};
position p != said_bpf.p;
@@

 fn(...)
 {
 <+...
 return@p -C;
 ...+>
 }

@script:python depends on report@
p << mute_bpf.p;
@@

coccilib.report.print_report(p[0], "refused without a sentence in extack")
