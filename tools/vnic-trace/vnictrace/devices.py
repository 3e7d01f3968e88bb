# SPDX-License-Identifier: GPL-2.0
"""Which device an event means: the kernel's own give but its name."""


class Devices:
    def __init__(self, head, events):
        self.by_name = {}
        self.info = {}
        self.index = {}
        self.spaces = set(head["namespaces"])
        for device in head["devices"]:
            key = (device["netns"], device["name"])
            self.info[key] = device
            self.index[device["netns"], device["ifindex"]] = device["name"]
            self.by_name.setdefault(device["name"], set()).add(device["netns"])
        # Ours tell it: also of those that are gone by now.
        for _, _, _, name, fields in events:
            if name.startswith("vnic_") and "netns" in fields:
                self.learn(fields["netns"], fields.get("name", ""))
                if "peer" in fields:
                    self.learn(fields.get("peer_netns"), fields["peer"])

    def is_space(self, netns):
        return netns in self.spaces

    def learn(self, netns, name):
        self.spaces.add(netns)
        self.by_name.setdefault(name, set()).add(netns)

    def kind(self, netns, name):
        return self.info.get((netns, name), {}).get("kind", "")

    def master(self, netns, name):
        """(name, kind) of the device that this one is a port of."""
        index = self.info.get((netns, name), {}).get("master", 0)
        above = self.index.get((netns, index), "") if index else ""
        return (above, self.kind(netns, above)) if above else ("", "")

    def peer(self, netns, name):
        found = self.info.get((netns, name), {}).get("peer")
        return tuple(found) if found else None

    def netns_of(self, name, trip):
        """Of the device of this name that the trip has come to, None if that
        cannot be told."""
        candidates = self.by_name.get(name, set())
        if len(candidates) == 1:
            return next(iter(candidates))
        for hop in reversed(trip.hops if trip else []):
            if not hop.dev or hop.netns is None:
                continue
            if "peer" in hop.fields and hop.fields["peer"] == name:
                return hop.fields["peer_netns"]
            peer = self.peer(hop.netns, hop.dev)
            if hop.station == "net_dev_start_xmit" and peer and \
                    peer[1] == name:
                return peer[0]
            if hop.netns in candidates:
                return hop.netns
            break
        return None
