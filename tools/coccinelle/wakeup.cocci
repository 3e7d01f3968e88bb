// SPDX-License-Identifier: GPL-2.0
/// A sleeper is missed for want of a memory barrier.
///
/// One side changes something and looks whether anybody sleeps; the other says
/// that it sleeps and looks whether something has changed. Without a full
/// barrier between the two steps, on both sides, a CPU may take the second
/// before the first: then both see the old state, and nobody wakes the sleeper
/// ever. x86 does that too, and no test finds it for years. The pairs here:
///
///  - a wait queue: wq_has_sleeper() has the barrier, waitqueue_active() has
///    none;
///  - SOCKWQ_ASYNC_NOSPACE is set, then there has to be a barrier and another
///    look at the room, as in vnic_queue_writable();
///  - a transmit queue that was stopped, then a barrier and another look at the
///    ring, as in vnic_queue_put(); and before netif_tx_queue_stopped() decides
///    whether to wake it a barrier too, as in vnic_queue_consumed().

virtual report

@ordered exists@
identifier barrier =~ "^smp_mb";
expression Q;
position p;
@@

 barrier();
 ...
 waitqueue_active@p(Q)

@active@
expression Q;
position p != ordered.p;
@@

 waitqueue_active@p(Q)

@script:python depends on report@
p << active.p;
@@

coccilib.report.print_report(p[0], "no barrier: wq_has_sleeper() has one")

@asked exists@
expression F;
position p;
@@

 set_bit@p(SOCKWQ_ASYNC_NOSPACE, F)
 ... when != smp_mb()
     when != smp_mb__after_atomic()
 return ...;

@script:python depends on report@
p << asked.p;
@@

coccilib.report.print_report(p[0], "no barrier before looking for room again")

@looked exists@
identifier barrier =~ "^smp_mb";
expression Q;
position p;
@@

 \(netif_tx_stop_queue@p(Q)\|netif_stop_subqueue@p(Q, ...)\|
   netif_stop_queue@p(Q)\)
 ...
 barrier();
 ...
 if (...) { ... }

@stopped@
expression Q;
position p != looked.p;
@@

 \(netif_tx_stop_queue@p(Q)\|netif_stop_subqueue@p(Q, ...)\|
   netif_stop_queue@p(Q)\)

@script:python depends on report@
p << stopped.p;
@@

coccilib.report.print_report(p[0], "no barrier and another look after the stop")

@awake exists@
identifier barrier =~ "^smp_mb";
expression Q;
position p;
@@

 barrier();
 ...
 netif_tx_queue_stopped@p(Q)

@asleep exists@
expression Q;
position p != awake.p;
@@

 netif_tx_queue_stopped@p(Q)
 ... when != \(netif_tx_stop_queue(Q)\|netif_tx_queue_stopped(Q)\)
 \(netif_tx_wake_queue(Q)\|netif_tx_start_queue(Q)\)

@script:python depends on report@
p << asleep.p;
@@

coccilib.report.print_report(p[0], "no barrier before it is seen as stopped")
