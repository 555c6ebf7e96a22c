"""The backend of the scenarios as FastAPI on uvicorn: it answers as the one in backend_test.go does.

SCENARIO_BACKEND holds its role as JSON. Each event becomes one line of the journal, in one write.
"""
import json
import os

from fastapi import FastAPI, Request, Response

role = json.loads(os.environ["SCENARIO_BACKEND"])
journal = os.open(role["Journal"], os.O_APPEND | os.O_WRONLY)
app = FastAPI()


def answer(what: str, id: str) -> Response:
    os.write(journal, f"{what} {role['Name']} {id}\n".encode())
    return Response(f'{{"id": "{id}", "backend": "{role["Name"]}", "fill": ""}}', media_type="application/json", headers={"X-Backend": role["Name"]})


@app.post("/track")
async def track(request: Request, id: str):
    event = await request.json()
    if event["id"] != id:
        return Response("this is the body of another request", status_code=409)
    return answer("post", id)


@app.get("/get")
async def get(id: str):
    return answer("get", id)


@app.get("/healthcheck")
async def healthcheck():
    return ""
