// SPDX-License-Identifier: GPL-2.0
/// A device is held and not let go of.
///
/// A reference that is never given back keeps the device for ever: whoever
/// deletes it waits in netdev_wait_allrefs(), and the log says "waiting for X
/// to become free" until the machine is booted again. The ways to get there:
///
///  - a return between vnic_port_get() and vnic_port_put(), most often one for
///    an error, added later;
///  - a return of an error after netdev_hold() or dev_hold(). A function may
///    well hold on behalf of its caller (vnveth_tie()), but whoever gets an
///    error believes that there is nothing to give back;
///  - a tracker that is held and that nothing in the same file puts.

virtual report

@after exists@
expression P, Q;
position p;
statement S;
@@

 P = vnic_port_get(Q)
 ... when != vnic_port_put(P)
 if (!P) S
 ... when != vnic_port_put(P)
 return@p ...;

@script:python depends on report@
p << after.p;
@@

coccilib.report.print_report(p[0], "returns without vnic_port_put()")

@inside exists@
expression P, Q;
position p;
@@

 P = vnic_port_get(Q)
 ... when != vnic_port_put(P)
 if (P) {
 ... when != vnic_port_put(P)
 return@p ...;
 }

@script:python depends on report@
p << inside.p;
@@

coccilib.report.print_report(p[0], "returns without vnic_port_put()")

@without@
expression P, Q;
position p;
@@

 P = vnic_port_get@p(Q)
 ... when != vnic_port_put(P)

@script:python depends on report@
p << without.p;
@@

coccilib.report.print_report(p[0], "vnic_port_get() and no vnic_port_put()")

@tracked exists@
expression D, T, G;
idexpression int err;
constant C;
position p;
@@

 netdev_hold(D, T, G)
 ... when != netdev_put(D, T)
(
 return@p \(-C\|ERR_PTR(...)\);
|
 if (\(err\|err < 0\))
   return@p err;
|
 if (\(err\|err < 0\)) {
 ... when != netdev_put(D, T)
 return@p err;
 }
)

@script:python depends on report@
p << tracked.p;
@@

coccilib.report.print_report(p[0], "returns an error with a device held")

@untracked exists@
expression D;
idexpression int err;
constant C;
position p;
@@

 dev_hold(D)
 ... when != dev_put(D)
(
 return@p \(-C\|ERR_PTR(...)\);
|
 if (\(err\|err < 0\))
   return@p err;
|
 if (\(err\|err < 0\)) {
 ... when != dev_put(D)
 return@p err;
 }
)

@script:python depends on report@
p << untracked.p;
@@

coccilib.report.print_report(p[0], "returns an error with a device held")

@put@
expression D, X;
identifier tracker;
@@

 netdev_put(D, &X->tracker)

@matched@
expression D, X, G;
identifier put.tracker;
position p;
@@

 netdev_hold@p(D, &X->tracker, G)

@unmatched@
expression D, T, G;
position p != matched.p;
@@

 netdev_hold@p(D, T, G)

@script:python depends on report@
p << unmatched.p;
@@

coccilib.report.print_report(p[0], "no netdev_put() of this tracker in the file")
