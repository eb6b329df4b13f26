# SPDX-License-Identifier: Apache-2.0
"""Flink's own gateway behind a proxy, for clients that cannot speak with it as it is: the proxy tells of the protocol versions that it is given, and of
an operation that has not begun it says RUNNING. All else is that gateway's answer."""
import http.client
import http.server
import json
import threading
import urllib.parse


class Telling:
    """http://127.0.0.1:PORT in self.base; close() ends it."""

    def __init__(self, base, versions):
        host = urllib.parse.urlsplit(base).netloc

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if self.path == "/v1/api_versions":
                    status, answer = 200, json.dumps({"versions": versions}).encode()
                else:
                    behind = http.client.HTTPConnection(host, timeout=300)
                    behind.request(self.command, self.path, body, {"Content-Type": "application/json"})
                    got = behind.getresponse()
                    status, answer = got.status, got.read()
                    behind.close()
                    if answer in (b'{"status":"PENDING"}', b'{"status":"INITIALIZED"}'):
                        answer = b'{"status":"RUNNING"}'
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=UTF-8")
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(answer)
                self.close_connection = True

            do_GET = do_POST = do_DELETE = pass_on

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
