"""Prints what pyroute2 hears of rtnetlink: one line per event, "ready" first."""
import socket

from pyroute2 import IPRoute

KINDS = {
    "ADDR": lambda m, a: "address %s/%d" % (a.get("IFA_LOCAL") or a["IFA_ADDRESS"], m["prefixlen"]),
    "ROUTE": lambda m, a: "route %s/%d table %d" % (a.get("RTA_DST"), m["dst_len"], a["RTA_TABLE"]),
    "RULE": lambda m, a: "rule %d" % a["FRA_PRIORITY"],
    "NEIGH": lambda m, a: "neighbour %s" % a["NDA_DST"],
    "LINK": lambda m, a: "iface %s" % a["IFLA_IFNAME"],
}

with IPRoute() as ipr:
    ipr.bind()
    print("ready", flush=True)
    while True:
        for m in ipr.get():
            event = m["event"]  # RTM_NEWADDR, ...
            tell = KINDS.get(event[7:])
            if tell and m.get("family") not in (socket.AF_BRIDGE, 128, 129):
                print({"NEW": "new", "DEL": "del"}[event[4:7]], tell(m, dict(m["attrs"])), flush=True)
