"""The endpoints of tenk's load test on Python: aiohttp, asyncpg and uvloop.

    python3 server.py PORT DATABASE_URL CONNECTIONS
"""

import asyncio
import json
import sys
import time

import asyncpg
import uvloop
from aiohttp import web

USER = "select id, name, email, created_at from users where id = $1"
POSTS = "select id, title, body, created_at from posts where user_id = $1 order by id desc limit 21"
POST = ("insert into posts (user_id, title, body, created_at)"
        " select id, $2, $3, $4 from users where id = $1 returning id")


def as_json(value, status=200):
    """The same bytes as tenk's: no blanks, UTF-8 as it is."""
    return web.json_response(text=json.dumps(value, separators=(",", ":"), ensure_ascii=False), status=status)


async def plaintext(_request):
    return web.Response(text="Hello, World!")


async def message(_request):
    return as_json({"message": "Hello, World!"})


async def sleep(request):
    ms = int(request.query["ms"])
    await asyncio.sleep(ms / 1000)
    return web.Response(text=f"Slept {ms} ms.\n")


async def user(request):
    pool, id = request.app["pool"], int(request.match_info["id"])
    found, posts = await asyncio.gather(pool.fetchrow(USER, id), pool.fetch(POSTS, id))
    if not found:
        return as_json({"status": 404}, 404)
    return as_json({"user": dict(found), "posts": [dict(post) for post in posts[:20]], "previous": None,
                    "next": f"/users/{id}?page=2" if len(posts) > 20 else None})


async def post(request):
    id, new, now = int(request.match_info["id"]), await request.json(), int(time.time())
    stored = await request.app["pool"].fetchval(POST, id, new["title"], new["body"], now)
    if stored is None:
        return as_json({"status": 404}, 404)
    return as_json({"id": stored, "user_id": id, "title": new["title"], "body": new["body"], "created_at": now}, 201)


async def open_pool(app):
    app["pool"] = await asyncpg.create_pool(app["url"], min_size=1, max_size=app["connections"],
                                            max_inactive_connection_lifetime=0)
    yield
    await app["pool"].close()


def main():
    port, url, connections = sys.argv[1:]
    app = web.Application()
    app["url"], app["connections"] = url, int(connections)
    if url:                                      # without, there are no users
        app.cleanup_ctx.append(open_pool)
    app.router.add_get("/plaintext", plaintext)
    app.router.add_get("/json", message)
    app.router.add_get("/sleep", sleep)
    app.router.add_get("/users/{id:\\d+}", user)
    app.router.add_post("/users/{id:\\d+}/posts", post)
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=int(port), backlog=8192, access_log=None, print=None,
                shutdown_timeout=1)


main()
