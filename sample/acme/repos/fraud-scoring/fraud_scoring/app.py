"""Scores orders: 0 is a regular customer, 1 is twelve tents to a parcel locker."""

from fastapi import FastAPI

app = FastAPI()


@app.post("/score")
def score(order: dict) -> dict:
    return {"order": order["id"], "score": 0.0}
