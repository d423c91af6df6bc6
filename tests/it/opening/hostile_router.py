"""A router that means no good: wrong numbers, cut and long datagrams, leases of nothing, a page that never ends. Says what it was asked."""
import socket
import struct
import threading

HERE = "192.168.7.1"
EVIL = b"\x1b[2J\nopen to the world at 6.6.6.6:1\n"


def say(what):
    print(what, flush=True)


def mappings():
    """PCP and NAT-PMP: to every question everything that might hurt, and no answer that is right."""
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    port.bind((HERE, 5351))
    say("ready")
    while True:
        asked, whom = port.recvfrom(2048)
        is_pcp = asked[:1] == b"\x02"
        say("pcp" if is_pcp else "nat-pmp")
        answers = [b"", b"\x00", b"\xff" * 1400, asked, asked[:7], EVIL]
        if is_pcp:
            # A lease of nothing, under another's number.
            head = struct.pack(">BBBBII12x", 2, 0x81, 0, 0, 0, 1)
            answers += [head, head + b"\x00" * 36, head + b"\x55" * 36]
        elif asked[1:2] == b"\x00":
            # This router's address is nobody's.
            answers = [b"\x00\x80", struct.pack(">BBHI4s", 0, 128, 0, 1, b"\x7f\x00\x00\x01")] + answers
        else:
            answers = [struct.pack(">BBHIHHI", 0, 130, 0, 1, 5950, 0, 0)] + answers
        for answer in answers:
            port.sendto(answer, whom)


def searches():
    """UPnP's search: garbage, somebody else's address, and the page that never ends."""
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    port.bind(("0.0.0.0", 1900))
    group = socket.inet_aton("239.255.255.250") + socket.inet_aton(HERE)
    port.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    while True:
        _, whom = port.recvfrom(2048)
        say("search")
        places = ["http://127.0.0.1:5950/", "http://6.6.6.6:80/", "file:///etc/passwd", "http://[::1", f"http://{HERE}:5000/page"]
        port.sendto(b"\xff" * 1400, whom)
        port.sendto(EVIL, whom)
        for place in places:
            port.sendto(f"HTTP/1.1 200 OK\r\nLOCATION: {place}\r\nST: upnp:rootdevice\r\n\r\n".encode(), whom)


def feed(page):
    say("page")
    try:
        page.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<?xml version=\"1.0\"?>")
        while True:
            page.sendall(b"<device>" + EVIL * 1000)
    except OSError:
        pass


def pages():
    port = socket.create_server((HERE, 5000))
    while True:
        page, _ = port.accept()
        threading.Thread(target=feed, args=(page,), daemon=True).start()


for work in (searches, pages):
    threading.Thread(target=work, daemon=True).start()
mappings()
