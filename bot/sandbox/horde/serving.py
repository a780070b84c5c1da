"""The simulator served alone on loopback, for tests and for a look with a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

from bot.sandbox.horde.simulator import HordeSim


@asynccontextmanager
async def served(
    sim: HordeSim, *, host: str = "127.0.0.1", port: int = 0, extra: Iterable[web.RouteDef] = ()
) -> AsyncIterator[str]:
    """Serve `sim` and run its world; yields the address without a path, at which `/api/v2` begins."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.add_routes([*sim.routes(), *sim.control_routes(), *extra])
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    world: asyncio.Task[None] | None = None
    try:
        await web.TCPSite(runner, host, port).start()
        address = runner.addresses[0]
        sim.public_url = f"http://{address[0]}:{address[1]}"
        world = asyncio.create_task(sim.run(), name="horde simulator")
        yield sim.public_url
    finally:
        if world is not None:
            world.cancel()
            await asyncio.gather(world, return_exceptions=True)
        await runner.cleanup()
