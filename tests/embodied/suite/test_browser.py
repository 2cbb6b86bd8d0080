"""The page of a suite in a real browser: it opens, and its video plays there."""

from __future__ import annotations

import json
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from embodied.suite import run_suite
from embodied.suite.report import report
from tests.embodied.suite.waiting import counted, job, quiet

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]

PLAY = """
<script>
const video = document.querySelector("video");
const tell = (told) => fetch("/told", {method: "POST", body: JSON.stringify(told)});
window.addEventListener("error", (event) => tell({error: event.message}));
video.addEventListener("error", () => tell({error: video.error.message}));
video.addEventListener("ended", () => tell({
  seconds: video.currentTime, size: [video.videoWidth, video.videoHeight], head: document.querySelector("h1").innerText,
}));
video.playbackRate = 4;
video.play().catch((error) => tell({error: String(error)}));
</script>
</body>"""


class _Server(HTTPServer):
    """Gives one page, and takes what it tells."""

    page = b""
    told: dict[str, Any] | None = None
    timeout = 60


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.server.page)

    def do_POST(self) -> None:
        self.server.told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


@pytest.mark.skipif(BROWSER is None, reason="needs a browser: apt install chromium")
def test_the_page_opens_in_a_browser_and_its_video_plays_to_its_end(tmp_path: Path) -> None:
    work = job(tmp_path, fails=[0], about={"folder": tmp_path})
    summary = counted(run_suite([work], [0], 1, quiet), work)
    assert BROWSER is not None
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.page = report(summary, tmp_path).replace("</body>", PLAY).encode()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        words = [BROWSER, *QUIET, f"--user-data-dir={tmp_path / 'browser'}", "--remote-debugging-port=0", url]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
            for _ in range(8):
                server.handle_request()
                if server.told is not None:
                    break
            browser.terminate()
    told = server.told
    assert told is not None, "the video neither ended nor failed"
    assert "error" not in told
    # A second of virtual time, and then the last picture for a while.
    assert told["seconds"] > 1.0
    assert told["size"] == [480, 360]
    assert told["head"] == "0 of 1 passed"
