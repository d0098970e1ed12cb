"""What the server did: one line of JSON an event on the log, and counters. Prompts are not in it unless that is asked for.

A visitor is told apart by a hash that is salted anew at every start, so that lines can be followed but not traced back.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import threading
import time
from collections import Counter

from viz.memory import resident

LOG = logging.getLogger("dawn.events")


class Journal:
    """Events and how often each came. prompts: whether a run's line holds its prompt."""

    def __init__(self, prompts: bool = False):
        self.prompts = prompts
        self.counts: Counter[str] = Counter()
        self.lock, self.salt, self.began = threading.Lock(), secrets.token_bytes(16), time.monotonic()

    def note(self, event: str, visitor: str = "", prompt: str = "", **facts) -> None:
        """Count an event, and write it down with its facts: numbers and short words."""
        with self.lock:
            self.counts[event] += 1
        line = {"time": round(time.time(), 3), "event": event, "visitor": self.alias(visitor), **facts}
        line |= {"prompt": prompt} if self.prompts else {"prompt_characters": len(prompt)} if prompt else {}
        LOG.info(json.dumps(line, ensure_ascii=True, default=str))

    def alias(self, visitor: str) -> str:
        """What a visitor is called in the log."""
        return hashlib.blake2b(visitor.encode(), key=self.salt, digest_size=6).hexdigest() if visitor else ""

    def figures(self) -> dict:
        """Seconds since the start, bytes of memory in use, and the counts of events by name."""
        with self.lock:
            counts = dict(self.counts)
        return {"uptime_seconds": round(time.monotonic() - self.began), "memory_bytes": resident(), "events": counts}
