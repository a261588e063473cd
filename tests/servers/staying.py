# SPDX-License-Identifier: Apache-2.0
"""usage: staying.py PORT BACKLOG

Answers each request, and waits for one as long as the client stays.
"""
import asyncio
import sys


async def serve(reader, writer):
    if await reader.readline():
        await reader.readline()
        writer.write(b"served\n")
    writer.close()


async def main(port, backlog):
    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=backlog)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
