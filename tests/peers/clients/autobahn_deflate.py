"""Runs the compression cases of Autobahn's test suite, by the `websockets` library, against the echo server at the URL given.

The suite itself needs Python 2. These are its cases 12.1 to 12.5 (kinds of data, with an offer without parameters) and 13.1 to
13.7 (offers): the sizes, fragments and parameters are the suite's. The data is generated, and the messages are fewer than its
1000. Ends with an error at the first message that does not come back as it was.
"""

import asyncio
import json
import random
import sys

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

# Size of a message, and of its fragments. Empty messages are added.
SIZES = [(size, None) for size in (0, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072)]
FRAGMENTED = [(size, 256) for size in (8192, 16384, 32768, 65536, 131072)]
FRAGMENTED += [(131072, fragment) for fragment in (1024, 4096, 32768)]
# Messages of at most SMALL bytes are MANY, others FEW: each connection sends more than a window.
SMALL, MANY, FEW = 32768, 20, 5
LENGTH = 200_000
FACES = "ÄÖÜäöüß"


def rows(chance):
    return [{"id": row, "name": f"name {chance.randrange(500)}", "value": chance.random()} for row in range(3000)]


def prose(chance):
    words = ["".join(chance.choices("etaoinshr" + FACES, k=chance.randint(2, 9))) for _ in range(2000)]
    return " ".join(chance.choices(words, k=LENGTH // 4)).encode()


def bitmap(chance):
    """Each pixel is close to the one before."""
    pixel, pixels = 128, bytearray()
    for _ in range(LENGTH):
        pixel = (pixel + chance.choice((-1, 0, 0, 1))) % 256
        pixels.append(pixel)
    return bytes(pixels)


def data():
    """By the number of the case; `str` is sent as text."""
    chance = random.Random(7692)
    table = "".join(f"<tr><td>{row['id']}</td><td class='name'>{row['name']}</td></tr>\n" for row in rows(chance))
    return {
        "12.1": json.dumps(rows(chance)),
        "12.2": bitmap(chance),
        "12.3": prose(chance),
        "12.4": table,
        "12.5": chance.randbytes(LENGTH),
    }


# What the client asks of the server (no context takeover, window); the cases 13.3 and 13.5 have had 8 and 9 bits.
OFFERS = {
    "13.1": [(False, None)],
    "13.2": [(True, None)],
    "13.3": [(False, 9)],
    "13.3 (8 bits)": [(False, 8)],
    "13.4": [(False, 15)],
    "13.5": [(True, 9)],
    "13.5 (8 bits)": [(True, 8)],
    "13.6": [(True, 15)],
    "13.7": [(True, 9), (True, None), (False, None)],
}


def messages(source, size):
    """Successive parts of the data, which begins anew at its end."""
    start = 0
    for _ in range(MANY if size <= SMALL else FEW):
        yield (source + source)[start : start + size]
        start = (start + size) % len(source)


async def check(case, url, offers, source, size, fragment):
    factories = [ClientPerMessageDeflateFactory(forgets, False, window) for forgets, window in offers]
    async with websockets.connect(url, extensions=factories, compression=None, max_size=None) as socket:
        (agreed,) = socket.protocol.extensions
        expected = (offers[0][0], offers[0][1] or 15)
        assert (agreed.remote_no_context_takeover, agreed.remote_max_window_bits) == expected, (case, agreed)
        for message in messages(source, size):
            parts = [message[at : at + fragment] for at in range(0, size, fragment)] if fragment else message
            await socket.send(parts)
            echo = await socket.recv()
            assert echo == message, f"{case}: {size} bytes in fragments of {fragment}: {len(echo)} other bytes came"


async def main(url):
    sources = data()
    cases = [(case, [(False, None)], source) for case, source in sources.items()]
    cases += [(case, offers, sources["12.1"]) for case, offers in OFFERS.items()]
    for case, offers, source in cases:
        for size, fragment in SIZES + FRAGMENTED:
            await check(case, url, offers, source, size, fragment)
    print(f"{len(cases) * len(SIZES + FRAGMENTED)} cases")


asyncio.run(main(sys.argv[1]))
