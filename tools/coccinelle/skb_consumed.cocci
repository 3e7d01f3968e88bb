// SPDX-License-Identifier: GPL-2.0
/// A packet that is lost is freed as one that has arrived.
///
/// consume_skb() and its like tell tracers and drop monitors that all went
/// well. A loss that is freed that way is seen by nobody: not by dropwatch, not
/// at skb:kfree_skb, and the counters contradict both. Packets are lost by
/// vnic_lose(), vnic_lose_rx() and vnic_lose_tx(), which count them and give
/// the reason, or by kfree_skb_reason().
///
/// A path is one of loss if it counts one, before or after; if it then returns
/// an error or false; or if it begins at a label that says so. dev_kfree_skb()
/// is another name of consume_skb().

virtual report

@before exists@
identifier LOSS =~ "^VNIC_(STAT_[RT]X_LOST|STAT_.*_ERROR|LOSS_.*|[RT]X_(SHORT|LONG|FAULT|NOMEM|PROTOCOL|VNET|DOWN|BUSY|XDP_DROP|XDP_ERROR|NO_QUEUE|FULL|FILTER_.*|PURGED))$";
position p;
@@

 \(vnic_stats_add(..., <+... LOSS ...+>, ...)\|vnic_count(..., LOSS, ...)\|
   dev_core_stats_rx_dropped_inc(...)\|dev_core_stats_tx_dropped_inc(...)\);
 ...
 \(consume_skb@p(...)\|dev_consume_skb_any@p(...)\|
   dev_consume_skb_irq@p(...)\|dev_kfree_skb@p(...)\|
   napi_consume_skb@p(...)\|__consume_stateless_skb@p(...)\);

@script:python depends on report@
p << before.p;
@@

coccilib.report.print_report(p[0], "lost, but freed as if it had arrived")

@after exists@
identifier LOSS =~ "^VNIC_(STAT_[RT]X_LOST|STAT_.*_ERROR|LOSS_.*|[RT]X_(SHORT|LONG|FAULT|NOMEM|PROTOCOL|VNET|DOWN|BUSY|XDP_DROP|XDP_ERROR|NO_QUEUE|FULL|FILTER_.*|PURGED))$";
position p;
@@

 \(consume_skb@p(...)\|dev_consume_skb_any@p(...)\|
   dev_consume_skb_irq@p(...)\|dev_kfree_skb@p(...)\|
   napi_consume_skb@p(...)\|__consume_stateless_skb@p(...)\);
 ...
 \(vnic_stats_add(..., <+... LOSS ...+>, ...)\|vnic_count(..., LOSS, ...)\|
   dev_core_stats_rx_dropped_inc(...)\|dev_core_stats_tx_dropped_inc(...)\);

@script:python depends on report@
p << after.p;
@@

coccilib.report.print_report(p[0], "lost, but freed as if it had arrived")

@failed exists@
symbol false;
constant C;
position p;
statement S1, S2;
expression E;
@@

 \(consume_skb@p(...)\|dev_consume_skb_any@p(...)\|
   dev_consume_skb_irq@p(...)\|dev_kfree_skb@p(...)\|
   napi_consume_skb@p(...)\|__consume_stateless_skb@p(...)\);
 ... when != if (E) S1 else S2
 return \(-C\|ERR_PTR(...)\|false\);

@script:python depends on report@
p << failed.p;
@@

coccilib.report.print_report(p[0], "lost, but freed as if it had arrived")

@labelled exists@
identifier label =~ "drop|lose|lost|fail|err";
position p;
@@

 label:
 ...
 \(consume_skb@p(...)\|dev_consume_skb_any@p(...)\|
   dev_consume_skb_irq@p(...)\|dev_kfree_skb@p(...)\|
   napi_consume_skb@p(...)\|__consume_stateless_skb@p(...)\);

@script:python depends on report@
p << labelled.p;
@@

coccilib.report.print_report(p[0], "lost, but freed as if it had arrived")
