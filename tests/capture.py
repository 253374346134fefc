"""Shared by the capture tests: a stream server, and captures on threads of the test's process."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event

import cv2
import numpy as np

from capture_service.factory import make_capture
from capture_service.settings import CaptureSettings
from capture_service.watchdog import Watchdog
from contract import keys
from contract.messages import SourceStatus, read_crop_entry

BOUNDARY = "frame"
FAST = {"reconnect_first": "100ms", "reconnect_longest": "500ms", "stall_timeout": "1s", "open_timeout": "2s"}


def until(true, seconds=30.0):
    """The first value of `true` that is not empty or false."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)
    return found


def settings(server, **more):
    return CaptureSettings(**{"redis_url": server.url, "detector": "haar"} | FAST | more)


@contextmanager
def capturing(spec, its_settings, order=0):
    """A capture on a thread, and the event that stops it; it has to end without an error."""
    stop = Event()
    with ThreadPoolExecutor(1, f"capture {spec.name}") as executor:
        running = executor.submit(make_capture(spec, order, 0, Watchdog(), its_settings).run, stop)
        try:
            yield stop
        finally:
            stop.set()
            running.result(20)


def status(client, source):
    """The status of a source in the registry, None if there is none."""
    found = client.hget(keys.SOURCES, source)
    return SourceStatus(**json.loads(found)) if found else None


def entries(client, source):
    return [read_crop_entry(fields) for _, fields in client.xrange(keys.crops(source))]


class MjpegServer:
    """Sends a picture thirty times a second to every client, until it dies or falls silent."""

    every_seconds = 1 / 30

    def __init__(self):
        self.silent = Event()
        self._dying = Event()
        self._server = None
        self.port = 0

    def start(self):
        self._dying.clear()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
                self.end_headers()
                number = 0
                try:
                    while not outer._dying.wait(outer.every_seconds):
                        if not outer.silent.is_set():
                            self.wfile.write(_part(outer.picture(number)))
                            number += 1
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def picture(self, _number):
        """The JPEG with this number."""
        return cv2.imencode(".jpg", np.full((120, 160, 3), 90, np.uint8))[1].tobytes()

    def die(self):
        self._dying.set()
        self._server.shutdown()
        self._server.server_close()


def _part(jpeg):
    head = b"--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % (BOUNDARY.encode(), len(jpeg))
    return head + jpeg + b"\r\n"
