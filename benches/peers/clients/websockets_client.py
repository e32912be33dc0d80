"""A plain client on Python's websockets: ADDRESS CONNECTIONS INTERVAL_MS COUNT.

A task for each connection sends a Ping, awaits its Pong (the library tells the latency) and sleeps until the next is
due.
Prints a line PORT SEQ RTT_NS for each heartbeat of a single connection.
"""

import asyncio
import sys

from websockets.asyncio.client import connect

OPENING = 64


async def beats(socket, first, interval, count, keep):
    loop = asyncio.get_running_loop()
    rtts = []
    for seq in range(count):
        await asyncio.sleep(first + seq * interval - loop.time())
        latency = await (await socket.ping(seq.to_bytes(8, "big")))
        if keep:
            rtts.append(latency)
    return rtts


async def main(address, connections, interval, count):
    gate = asyncio.Semaphore(OPENING)

    async def opened():
        async with gate:
            return await connect(f"ws://{address}/", compression=None, ping_interval=None, open_timeout=60)

    sockets = await asyncio.gather(*(opened() for _ in range(connections)))
    start = asyncio.get_running_loop().time()
    keep = connections == 1
    tasks = (
        beats(socket, start + interval * index / connections, interval, count, keep)
        for index, socket in enumerate(sockets)
    )
    for socket, rtts in zip(sockets, await asyncio.gather(*tasks)):
        port = socket.local_address[1]
        for seq, rtt in enumerate(rtts):
            print(port, seq, round(rtt * 1e9))
        await socket.close()


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) / 1000, int(sys.argv[4])))
