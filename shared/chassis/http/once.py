"""What a client of a gateway needs that aiohttp does not do by itself."""

import aiohttp


async def once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Middleware: a request whose connection was lost is not said again. Raises ClientConnectionError.

    aiohttp repeats whatever HTTP calls idempotent, PUT and DELETE too; the refusal of the second one (a stale version)
    would hide that the first was done.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # nothing was sent
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError("the connection was lost") from error
