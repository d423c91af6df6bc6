"""A VNC server with Apple's security type 30 alone, for one user, showing one fixed picture. Usage: apple_server.py USER PASSWORD.

Prints "port N". Written apart from the program under test: Python's own arithmetic, openssl's AES. Ends when its standard input does."""
import hashlib
import secrets
import socket
import struct
import subprocess
import sys
import threading

# RFC 2409, second group: what macOS uses.
PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    16,
)
LENGTH = 128
WIDTH, HEIGHT = 64, 48
# By type: how many bytes follow it, and where in them a count of further items of some size stands.
MESSAGES = {0: (19, None), 2: (3, (1, ">H", 4)), 3: (9, None), 4: (7, None), 5: (5, None), 6: (7, (3, ">I", 1))}


def exactly(peer, count):
    data = b""
    while len(data) < count:
        piece = peer.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def let_in(peer, user, password):
    private = secrets.randbelow(PRIME)
    public = pow(2, private, PRIME)
    peer.sendall(struct.pack(">HH", 2, LENGTH) + PRIME.to_bytes(LENGTH, "big") + public.to_bytes(LENGTH, "big"))
    login = exactly(peer, 128)
    theirs = int.from_bytes(exactly(peer, LENGTH), "big")
    key = hashlib.md5(pow(theirs, private, PRIME).to_bytes(LENGTH, "big")).hexdigest()
    openssl = ["openssl", "enc", "-d", "-aes-128-ecb", "-nopad", "-K", key]
    plain = subprocess.run(openssl, input=login, stdout=subprocess.PIPE, check=True).stdout
    given = [field.split(b"\0")[0].decode("latin-1") for field in (plain[:64], plain[64:])]
    if given == [user, password]:
        peer.sendall(struct.pack(">I", 0))
        return True
    reason = b"no such user with this password"
    peer.sendall(struct.pack(">II", 1, len(reason)) + reason)
    return False


def picture(form):
    (_, _, big, _, most_r, most_g, most_b, r, g, b) = struct.unpack(">BBBBHHHBBB", form[:13])
    assert form[0] == 32 and (most_r, most_g, most_b) == (255, 255, 255), form
    order = ">I" if big else "<I"
    pixel = lambda x, y: x * 4 % 256 << r | y * 5 % 256 << g | (x ^ y) * 3 % 256 << b
    return b"".join(struct.pack(order, pixel(x, y)) for y in range(HEIGHT) for x in range(WIDTH))


def serve(peer, user, password):
    peer.sendall(b"RFB 003.889\n")
    exactly(peer, 12)
    peer.sendall(b"\x01\x1e")
    if exactly(peer, 1) != b"\x1e" or not let_in(peer, user, password):
        return
    exactly(peer, 1)
    form = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
    peer.sendall(struct.pack(">HH", WIDTH, HEIGHT) + form + struct.pack(">I", 4) + b"desk")
    while True:
        kind = exactly(peer, 1)[0]
        count, more = MESSAGES[kind]
        body = exactly(peer, count)
        if more:
            place, number, size = more
            exactly(peer, struct.unpack_from(number, body, place)[0] * size)
        if kind == 0:
            form = body[3:]
        if kind == 3 and body[0] == 0:
            peer.sendall(struct.pack(">BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, 0) + picture(form))


def attend(peer, user, password):
    try:
        serve(peer, user, password)
    except (EOFError, OSError):
        pass
    peer.close()


def listen(listener):
    while True:
        threading.Thread(target=attend, args=(listener.accept()[0], *sys.argv[1:3]), daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=listen, args=(listener,), daemon=True).start()
print("port", listener.getsockname()[1], flush=True)
sys.stdin.read()
