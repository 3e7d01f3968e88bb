# SPDX-License-Identifier: GPL-2.0
#
# What the headers of this kernel offer: one question a line. The headers are
# asked, not the version, since stable and distribution kernels backport.
# compat.h is the only reader of the answers.

vnic-ask = $(if $(shell grep -sE '$(2)' $(srctree)/include/$(3)),-DVNIC_HAVE_$(1))

vnic-probes += $(call vnic-ask,NEWLINK_PARAMS,struct rtnl_newlink_params,net/rtnetlink.h)
vnic-probes += $(call vnic-ask,PEER_TYPE,peer_type;,net/rtnetlink.h)
vnic-probes += $(call vnic-ask,PCPU_STAT_TYPE,pcpu_stat_type:8,linux/netdevice.h)
vnic-probes += $(call vnic-ask,CONFIGURE_PORTID,rtnl_configure_link.*ifinfomsg .ifm.$$,net/rtnetlink.h)
vnic-probes += $(call vnic-ask,PARSE_IFINFOMSG,rtnl_nla_parse_ifinfomsg,net/rtnetlink.h)
vnic-probes += $(call vnic-ask,SOCK_INIT_UID,sock_init_data_uid,net/sock.h)
vnic-probes += $(call vnic-ask,KFREE_SKB_ANY_REASON,dev_kfree_skb_any_reason,linux/netdevice.h)
vnic-probes += $(call vnic-ask,RING_RESIZE_BH,ptr_ring_resize_multiple_bh,linux/ptr_ring.h)
vnic-probes += $(call vnic-ask,DEV_LLTX,lltx:1;,linux/netdevice.h)
vnic-probes += $(call vnic-ask,INIT_DUMMY_NETDEV,init_dummy_netdev,linux/netdevice.h)
vnic-probes += $(call vnic-ask,RX_MODE_ASYNC,ndo_set_rx_mode_async,linux/netdevice.h)
vnic-probes += $(call vnic-ask,UNREGISTER_QUEUE_NET,unregister_netdevice_queue_net,linux/netdevice.h)
vnic-probes += $(call vnic-ask,MAC_STORAGE,dev_set_mac_address_user.*sockaddr_storage,linux/netdevice.h)
vnic-probes += $(call vnic-ask,F_OWNER_ALLOCATE,file_f_owner_allocate,linux/fs.h)
vnic-probes += $(call vnic-ask,NETDEV_LOCK_H,netdev_lockdep_set_classes,net/netdev_lock.h)
vnic-probes += $(call vnic-ask,PAGE_POOL_DIR,page_pool_alloc_frag,net/page_pool/types.h)
vnic-probes += $(call vnic-ask,RPS_H,sock_rps_record_flow_hash,net/rps.h)
vnic-probes += $(call vnic-ask,ITER_IOV,iter_iov.const struct iov_iter,linux/uio.h)
vnic-probes += $(call vnic-ask,XDP_FEATURES,xdp_features;,linux/netdevice.h)
vnic-probes += $(call vnic-ask,BPF_NET_CONTEXT,bpf_net_ctx_set,linux/filter.h)
vnic-probes += $(call vnic-ask,XDP_GENERIC_PSKB,do_xdp_generic.*\*\*,linux/netdevice.h)
vnic-probes += $(call vnic-ask,TXQ_HAS_NO_QUEUE,qdisc_txq_has_no_queue,net/sch_generic.h)
vnic-probes += $(call vnic-ask,DEACTIVATE_RESET,dev_deactivate.struct.*bool reset,net/sch_generic.h)
vnic-probes += $(call vnic-ask,QSTATS,struct netdev_stat_ops,net/netdev_queues.h)
vnic-probes += $(call vnic-ask,VNET_TUNNEL,virtio_net_hdr_tnl_to_skb,linux/virtio_net.h)
vnic-probes += $(call vnic-ask,FRAME_MEM_TYPE,xdp_mem_type mem_type,net/xdp.h)
vnic-probes += $(call vnic-ask,GRO_NODE,void gro_flush_normal,net/gro.h)
vnic-probes += $(call vnic-ask,HRTIMER_SETUP,void hrtimer_setup.struct,linux/hrtimer.h)
vnic-probes += $(call vnic-ask,ETHTOOL_PUTS,void ethtool_puts,linux/ethtool.h)
vnic-probes += $(call vnic-ask,GSO_H,skb_gso_segment,net/gso.h)
vnic-probes += $(call vnic-ask,SKBUFF_REF_H,skb_frag_ref,linux/skbuff_ref.h)
vnic-probes += $(call vnic-ask,XDP_HINTS,xmo_rx_vlan_tag,net/xdp.h)

# Parts that a kernel has or has not are whole files: vnic-y-if NAME is y if it
# has what the question of that name asked for.
vnic-y-if = $(if $(filter -DVNIC_HAVE_$(1),$(vnic-probes)),y)
