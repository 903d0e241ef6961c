"""Middleware of the campaign's Label Studio: as a file says, requests fail, are slow, or are done and called failed."""

import json
import os
import random
import time

FILE = os.environ["CAMPAIGN_WEATHER"]


class Weather:
    """Reads ``{"kind": "refuse" | "lie" | "slow", "share": 0 to 1, "seconds": …}`` anew at each request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        from django.http import JsonResponse

        weather = _now()
        kind = weather.get("kind") if random.random() < weather.get("share", 0) else ""
        failed = JsonResponse({"detail": "The campaign made this up."}, status=500)
        if kind == "refuse":
            return failed
        if kind == "slow":
            time.sleep(random.uniform(0, weather["seconds"]))
        answer = self.get_response(request)
        if kind == "lie":
            answer.close()
            return failed
        return answer


def _now():
    try:
        with open(FILE, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}
