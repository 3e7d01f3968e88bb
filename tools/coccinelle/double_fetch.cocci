// SPDX-License-Identifier: GPL-2.0
/// The same user memory is read twice.
///
/// A program's other thread can write to it in between: what was checked after
/// the first reading is then not what is used after the second. Read once, and
/// look at nothing but the copy. That holds for a header that is read before
/// the whole, too: if the whole is read from its beginning, the header in it is
/// a new one.
///
/// To read on behind what has been read (P + sizeof(head)), or at a pointer
/// that was moved, is not the same memory. A vector (struct iov_iter) moves by
/// itself, so that only one that was turned back can be read twice.

virtual report

@again exists@
expression P, D, E;
identifier f;
position p, q;
@@

(
 copy_from_user@p(D, \(P\|&P->f\), ...)
|
 get_user@p(D, \(P\|&P->f\))
)
 ... when != P = E
     when != P += E
     when != P++
     when != ++P
(
 copy_from_user@q(..., P, ...)
|
 get_user@q(..., P)
|
 copy_struct_from_user@q(..., P, ...)
|
 memdup_user@q(P, ...)
|
 memdup_user_nul@q(P, ...)
|
 strncpy_from_user@q(..., P, ...)
)

@script:python depends on report@
p << again.p;
q << again.q;
@@

# A loop comes back to where it was: not here, but where it moves on.
if (p[0].line, p[0].column) != (q[0].line, q[0].column):
    coccilib.report.print_report(q[0], "read from user memory a second time")

@back exists@
expression I;
position q;
@@

 \(copy_from_iter(..., I)\|copy_from_iter_full(..., I)\|
   copy_from_iter_nocache(..., I)\|
   skb_copy_datagram_from_iter(..., I, ...)\)
 ...
 iov_iter_revert(I, ...)
 ...
 \(copy_from_iter@q(..., I)\|copy_from_iter_full@q(..., I)\|
   copy_from_iter_nocache@q(..., I)\|
   skb_copy_datagram_from_iter@q(..., I, ...)\)

@script:python depends on report@
q << back.q;
@@

coccilib.report.print_report(q[0], "read from user memory a second time")
