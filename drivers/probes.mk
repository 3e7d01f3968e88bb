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
