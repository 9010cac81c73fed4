"""A server that speaks the Hub's language as far as `huggingface_hub` asks when it fetches a data set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote

REVISION = "a" * 40


@contextmanager
def hub(identifier: str, files: dict[str, bytes], asked: list[tuple[str, str]]) -> Iterator[str]:
    """The address of a Hub with one data set; `asked` gets (path, authorization) of every request."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def log_message(self, *_: object) -> None:
            return

        def _answer(self, *, with_body: bool) -> None:
            path = unquote(self.path.partition("?")[0])
            asked.append((path, self.headers.get("Authorization", "")))
            head, _, rest = path.partition(f"/{identifier}")
            headers: dict[str, str] = {"X-Repo-Commit": REVISION}
            status, body = 200, b""
            if head == "/api/datasets" and rest in ("", "/revision/main", f"/revision/{REVISION}"):
                siblings = [{"rfilename": name} for name in files]
                body = json.dumps({"id": identifier, "sha": REVISION, "siblings": siblings, "private": False}).encode()
                headers["Content-Type"] = "application/json"
            elif head == "/api/datasets" and rest.startswith("/tree/"):
                listed = [
                    {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                    for name, content in files.items()
                ]
                body, headers["Content-Type"] = json.dumps(listed).encode(), "application/json"
            elif head == "/datasets" and (name := rest.removeprefix(f"/resolve/{REVISION}/")) in files:
                body = files[name]
                headers["ETag"] = f'"{hashlib.sha1(body).hexdigest()}"'
            elif head == "/api/datasets" and "/revision/" in rest:
                status, headers["X-Error-Code"] = 404, "RevisionNotFound"
            else:
                status, headers["X-Error-Code"] = 404, "RepoNotFound"
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
