"""A client as they were written for the original netconnectd.

It reads 16 bytes at a time, is done when what it has read ends in NUL, does
not know the end of the stream, and gives up after a second of silence.
"""
import json
import socket
import sys

SECONDS = 1.0


def ask(path, message):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(SECONDS)
    sock.connect(path)
    sock.sendall(json.dumps(message).encode("ascii") + b"\x00")
    answer = b""
    while answer[-1:] != b"\x00":
        part = sock.recv(16)
        if not part:
            raise SystemExit("the stream ended, an old client would hang now")
        answer += part
    sock.close()
    return json.loads(answer.strip()[:-1].decode("utf-8"))


def expect(path, message, want):
    got = ask(path, message)
    if got != want:
        raise SystemExit("%r: got %r, want %r" % (message, got, want))


def main(path):
    status = ask(path, {"status": {}})["result"]
    for keys, kind in (
        (("link",), bool),
        (("devs",), list),
        (("connections", "wifi"), bool),
        (("connections", "ap"), bool),
        (("connections", "wired"), bool),
        (("wifi", "current_ssid"), (str, type(None))),
        (("wifi", "current_address"), (str, type(None))),
        (("wifi", "valid_config"), bool),
        (("wifi", "present"), bool),
    ):
        value = status
        for key in keys:
            value = value[key]
        if not isinstance(value, kind):
            raise SystemExit("status %s is %r" % (".".join(keys), value))
    for message, result in (
        ({"list_wifi": {}}, []),
        ({"config_wifi": {"ssid": "Home", "psk": "12345678", "force": False}}, 'configured wifi as "netconnectd_wifi"'),
        ({"start_wifi": {}}, "connected to wifi"),
        ({"forget_wifi": {}}, "forgot configured wifi"),
        ({"start_ap": {}}, "started ap"),
        ({"stop_ap": {}}, "stopped ap"),
        ({"reset": {}}, "reset daemon"),
    ):
        expect(path, message, {"result": result})
    error = ask(path, {"fly": {}})["error"]
    if error != "unknown message":
        raise SystemExit("error is %r" % error)


main(sys.argv[1])
