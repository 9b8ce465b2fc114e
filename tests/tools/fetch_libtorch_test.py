"""tools/fetch_libtorch.py against an index on this machine: fetched, resumed, repaired, refused."""

import hashlib
import http.server
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest
import zipfile

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "fetch_libtorch.py"
WHEEL = "torch-9.9.9-cp311-cp311-manylinux_2_28_x86_64.whl"


def wheel_bytes():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("torch/lib/libtorch_cpu.so", bytes(range(256)) * 40000)
        archive.writestr("torch/include/ATen/ATen.h", "// header\n")
        archive.writestr("torch/nn/module.py", "not wanted\n")
    return buffer.getvalue()


class Index(http.server.BaseHTTPRequestHandler):
    """The simple index's page and one wheel, with ranges; counts the bytes of the wheel it sent."""

    content = wheel_bytes()
    sent_bytes = 0
    authorization = None

    def do_GET(self):
        Index.authorization = self.headers.get("Authorization")
        if self.path == "/simple/torch/":
            page = f'<a href="../../files/{WHEEL}#sha256=ignored">{WHEEL}</a>'.encode()
            self.reply(200, page)
        elif self.path == f"/files/{WHEEL}":
            start = int((self.headers.get("Range") or "bytes=0-")[6:].rstrip("-"))
            if start >= len(Index.content):
                self.reply(416, b"")
                return
            Index.sent_bytes += len(Index.content) - start
            self.reply(206 if start else 200, Index.content[start:])
        else:
            self.reply(404, b"")

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class FetchLibtorch(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self.server.server_port}"
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.folder = pathlib.Path(folder.name)
        self.cache = self.folder / "cache"
        self.lock(hashlib.sha256(Index.content).hexdigest())
        Index.sent_bytes = 0

    def lock(self, sha256):
        (self.folder / "lock").write_text(f"# comment\ntorch 9.9.9 {WHEEL} {sha256}\n")

    def fetch(self, **environment):
        kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
        return subprocess.run(
            [sys.executable, "-B", TOOL, "--cache", self.cache, "--lock", self.folder / "lock"],
            env={**kept, "HOME": str(self.folder), "PIP_CONFIG_FILE": os.devnull, "no_proxy": "*",
                 "PIP_INDEX_URL": f"http://{self.address}/simple", **environment},
            capture_output=True, text=True, check=False, timeout=60)

    def assert_complete(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        torch = pathlib.Path(result.stdout.strip())
        self.assertEqual((torch / "lib/libtorch_cpu.so").stat().st_size, 256 * 40000)
        self.assertTrue((torch / "include/ATen/ATen.h").exists())
        self.assertFalse((torch / "nn").exists())
        self.assertEqual(list(self.cache.glob("downloads/*")), [])
        self.assertEqual(list(self.cache.glob("*.part")), [])

    def test_fetches_once_and_needs_no_network_afterwards(self):
        self.assert_complete(self.fetch())
        self.assert_complete(self.fetch(PIP_INDEX_URL="http://127.0.0.1:9/simple"))
        self.assertEqual(Index.sent_bytes, len(Index.content))

    def test_goes_on_with_what_a_killed_run_left(self):
        part = self.cache / "downloads" / (WHEEL + ".part")
        part.parent.mkdir(parents=True)
        part.write_bytes(Index.content[:-1000])
        result = self.fetch()
        self.assert_complete(result)
        self.assertEqual(Index.sent_bytes, 1000)

    def test_a_complete_part_is_taken_without_download(self):
        part = self.cache / "downloads" / (WHEEL + ".part")
        part.parent.mkdir(parents=True)
        part.write_bytes(Index.content)
        self.assert_complete(self.fetch())
        self.assertEqual(Index.sent_bytes, 0)

    def test_a_damaged_part_is_fetched_again(self):
        part = self.cache / "downloads" / (WHEEL + ".part")
        part.parent.mkdir(parents=True)
        part.write_bytes(b"x" * 1000)
        self.assert_complete(self.fetch())

    def test_a_half_unpacked_folder_is_done_again(self):
        first = self.fetch()
        target = pathlib.Path(first.stdout.strip()).parent
        target.rename(target.with_name(target.name + ".part"))
        self.assert_complete(self.fetch())

    def test_another_file_under_the_name_is_refused(self):
        self.lock("0" * 64)
        result = self.fetch()
        self.assertEqual(result.returncode, 3)
        self.assertIn("Remedy", result.stderr)
        self.assertEqual(list(self.cache.glob("libtorch-*")), [])

    def test_a_file_that_no_index_has_is_named_with_a_remedy(self):
        result = self.fetch(PIP_INDEX_URL=f"http://{self.address}/elsewhere")
        self.assertEqual(result.returncode, 3)
        self.assertIn(f"http://{self.address}/elsewhere/torch/", result.stderr)
        self.assertIn("LIBTORCH_ROOT", result.stderr)

    def test_pip_conf_names_the_index_and_its_login_is_kept_from_messages(self):
        config = self.folder / "pip.conf"
        config.write_text(f"[global]\nindex-url = http://user:s%40cret@{self.address}/simple\n")
        result = self.fetch(PIP_INDEX_URL="", PIP_CONFIG_FILE=str(config))
        self.assert_complete(result)
        self.assertEqual(Index.authorization, "Basic dXNlcjpzQGNyZXQ=")
        self.assertNotIn("cret", result.stderr)

    def test_a_local_folder_of_wheels_is_used(self):
        (self.folder / WHEEL).write_bytes(Index.content)
        self.assert_complete(self.fetch(PIP_FIND_LINKS=str(self.folder), PIP_INDEX_URL="http://127.0.0.1:9/"))
        self.assertTrue((self.folder / WHEEL).exists())

    def test_an_unwritable_cache_is_named_with_a_remedy(self):
        self.cache.write_text("a file")
        result = self.fetch()
        self.assertEqual(result.returncode, 3)
        self.assertIn("KVSCOPE_CACHE", result.stderr)


if __name__ == "__main__":
    unittest.main()
