"""A collecting backend with the outward behaviour of tracardi-api, run by uvicorn.

JOURNAL names a file that gets one line for each event that was accepted, so that a test can count what was lost and what
came twice, over restarts and over all backends. What arrives and is none of the collector's business gets a line as well.
"""
import json
import os

from fastapi import FastAPI, Request

app = FastAPI()
journal = open(os.environ["JOURNAL"], "a", buffering=1)


COLLECTED = {("POST", "/track"), ("GET", "/healthcheck"), ("GET", "/tracker/liliput.min.js")}


@app.middleware("http")
async def note(request: Request, call_next):
    if (request.method, request.url.path) not in COLLECTED:
        journal.write("reached:" + request.method + ":" + request.url.path.replace(" ", "%20") + "\n")
    return await call_next(request)


@app.post("/track")
async def track(request: Request):
    text = await request.body()
    body = json.loads(text)
    for event in body["events"]:
        journal.write(event["id"] + "\n")
    return {
        "profile": body.get("profile"),
        "session": body.get("session"),
        "size": len(text),
        "seen": {name: request.headers.getlist(name) for name in request.headers},
    }


@app.get("/healthcheck")
def healthcheck():
    return ""


@app.get("/tracker/liliput.min.js")
def tracker():
    return "window.tracker = {}"


@app.api_route("/{path:path}", methods=["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def everything_else(path: str):
    return "for nobody outside"
