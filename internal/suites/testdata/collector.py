"""A collecting backend with the outward behaviour of tracardi-api, run by uvicorn.

JOURNAL names a file that gets one line for each event that was accepted, so that a test can count what was lost and what
came twice, over restarts and over all backends.
"""
import os

from fastapi import FastAPI, Request

app = FastAPI()
journal = open(os.environ["JOURNAL"], "a", buffering=1)


@app.post("/track")
async def track(request: Request):
    body = await request.json()
    for event in body["events"]:
        journal.write(event["id"] + "\n")
    return {
        "profile": body.get("profile"),
        "session": body.get("session"),
        "seen": {name: request.headers.getlist(name) for name in request.headers},
    }


@app.get("/healthcheck")
def healthcheck():
    return ""


@app.get("/info/version")
def version():
    return "for nobody outside"
