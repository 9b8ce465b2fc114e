#!/usr/bin/env python3
"""Fetches the LibTorch named by cmake/libtorch.lock into a cache folder; prints where it is.

Needs Python 3.8 and nothing else. Honours pip's own configuration (index-url, extra-index-url,
find-links, cert, proxy; from the environment or pip.conf), as that is where a machine behind a mirror
says so. Killed at any moment, the next run goes on from there.

Layout: CACHE/libtorch-VERSION-KEY/{torch,nvidia}, KEY a hash of the lock file; the folder appears under
that name only when complete.
"""

import argparse
import base64
import configparser
import contextlib
import fcntl
import hashlib
import html.parser
import os
import pathlib
import shutil
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile

DEFAULT_INDEX = "https://pypi.org/simple"
UNPACKED_BYTES = 1_700_000_000  # wheel and its contents together, with room to spare
# A program needs the headers, the shared libraries and nothing of the wheel's Python.
WANTED = ("torch/lib/", "torch/include/", "nvidia/")
CHUNK_BYTES = 1 << 20
ATTEMPTS = 6


class FetchError(Exception):
    """A message for the user: what failed, where, and what to do about it."""


def say(text, end="\n"):
    print(text, end=end, file=sys.stderr, flush=True)


def read_lock(path):
    """[(project, version, file, sha256)] of the lock file."""
    lines = (line.split("#")[0].split() for line in path.read_text().splitlines())
    return [tuple(words) for words in lines if words]


class PipSettings:
    """What pip is told on this machine: environment first, then the user's file, then the site's."""

    def __init__(self):
        self._values = {}
        config_home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        files = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf",
                 os.path.expanduser("~/.pip/pip.conf"), os.path.join(config_home, "pip/pip.conf")]
        if os.environ.get("VIRTUAL_ENV"):
            files.append(os.path.join(os.environ["VIRTUAL_ENV"], "pip.conf"))
        own = os.environ.get("PIP_CONFIG_FILE")
        if own == os.devnull:
            files = []
        elif own:
            files.append(own)
        parser = configparser.RawConfigParser()
        for file in files:
            try:
                parser.read(file)
            except (configparser.Error, UnicodeDecodeError) as error:
                say(f"  {file} is not readable as pip.conf and is passed over: {error}")
        for section in ("global", "install", "download"):
            if parser.has_section(section):
                self._values.update(parser.items(section))

    def get(self, name):
        from_environment = os.environ.get("PIP_" + name.upper().replace("-", "_"))
        return (from_environment or self._values.get(name) or "").strip()

    def indexes(self):
        return [self.get("index-url") or DEFAULT_INDEX] + self.get("extra-index-url").split()

    def local_folders(self):
        found = (entry[7:] if entry.startswith("file://") else entry
                 for entry in self.get("find-links").split())
        return [pathlib.Path(os.path.expanduser(entry)) for entry in found if "://" not in entry]

    def opener(self):
        certificates = self.get("cert") or os.environ.get("REQUESTS_CA_BUNDLE")
        if certificates and os.path.isdir(certificates):
            context = ssl.create_default_context(capath=certificates)
        elif certificates and os.path.isfile(certificates):
            context = ssl.create_default_context(cafile=certificates)
        else:
            context = ssl.create_default_context()
        handlers = [urllib.request.HTTPSHandler(context=context)]
        proxy = self.get("proxy")
        if proxy:
            proxy = proxy if "://" in proxy else "http://" + proxy
            handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
        return urllib.request.build_opener(*handlers)


def without_login(url):
    """(url without "user:password@", header with it)."""
    parts = urllib.parse.urlsplit(url)
    if "@" not in parts.netloc:
        return url, {}
    login, host = parts.netloc.rsplit("@", 1)
    token = base64.b64encode(urllib.parse.unquote(login).encode()).decode()
    return urllib.parse.urlunsplit(parts._replace(netloc=host)), {"Authorization": "Basic " + token}


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.hrefs = []

    def handle_starttag(self, tag, attributes):
        href = dict(attributes).get("href")
        if tag == "a" and href:
            self.hrefs.append(href)


def with_retries(what, action):
    """Repeats `action` while the network fails; a refusal of the request itself (4xx) is final."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return action()
        except (OSError, urllib.error.URLError) as error:
            final = isinstance(error, urllib.error.HTTPError) and error.code in (401, 403, 404, 410)
            no_disk = getattr(error, "errno", None) in (13, 28, 30, 122)
            if final or no_disk or attempt == ATTEMPTS:
                raise
            wait_s = min(2 ** attempt, 20)
            say(f"\n  {what}: {error}; attempt {attempt} of {ATTEMPTS}, next in {wait_s} s")
            time.sleep(wait_s)


def find_url(settings, opener, project, filename):
    """(url, headers) of `filename` on the first index that has it."""
    tried = []
    for index in settings.indexes():
        page_url, headers = without_login(index.rstrip("/") + f"/{project}/")

        def read_page():
            request = urllib.request.Request(page_url, headers={**headers, "Accept": "text/html"})
            with opener.open(request, timeout=60) as response:
                return response.geturl(), response.read().decode("utf-8", "replace")

        try:
            base, page = with_retries(page_url, read_page)
        except OSError as error:
            tried.append(f"{page_url}: {error}")
            continue
        links = Links()
        links.feed(page)
        for href in links.hrefs:
            url = urllib.parse.urljoin(base, href).split("#")[0]
            if urllib.parse.unquote(urllib.parse.urlsplit(url).path).rsplit("/", 1)[-1] == filename:
                same_host = urllib.parse.urlsplit(url).netloc == urllib.parse.urlsplit(page_url).netloc
                return url, (headers if same_host else {})
        tried.append(f"{page_url}: lists no {filename}")
    raise FetchError(
        "cannot find " + filename + "\n    " + "\n    ".join(tried) + "\n  Remedy: check the network, or "
        "name a mirror that has it with PIP_INDEX_URL, or put the file into the cache folder by hand, or "
        "set LIBTORCH_ROOT to the torch folder of an installed PyTorch 2.11.")


def sha256_of(path):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK_BYTES), b""):
            digest.update(chunk)
    return digest.hexdigest()


class Progress:
    """One line, rewritten on a terminal; every fifth of the way elsewhere."""

    def __init__(self, name, total):
        self._name, self._total, self._shown = name, total, -1

    def show(self, done):
        percent = 100 * done // self._total if self._total else 0
        step = 1 if sys.stderr.isatty() else 20
        if percent // step == self._shown:
            return
        self._shown = percent // step
        line = f"  {self._name}: {percent:3d} % of {self._total / 1e6:.0f} MB"
        say("\r" + line if sys.stderr.isatty() else line, end="" if sys.stderr.isatty() else "\n")

    def finish(self):
        if sys.stderr.isatty():
            say("")


def download(opener, url, headers, part):
    """Appends what is missing to `part`; starts again where the server cannot continue."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers=dict(headers))
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = opener.open(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing is missing: the hash decides whether it is right
            return
        raise
    with response:
        resumed = have and response.status == 206
        have = have if resumed else 0
        total = have + int(response.headers.get("Content-Length") or 0)
        progress = Progress(part.name[: -len(".part")].split("-")[0], total)
        with part.open("ab" if resumed else "wb") as file:
            for chunk in iter(lambda: response.read(CHUNK_BYTES), b""):
                file.write(chunk)
                have += len(chunk)
                progress.show(have)
        progress.finish()
        if have < total:
            raise ConnectionError(f"connection closed after {have} of {total} bytes")


def obtain(settings, downloads, project, filename, sha256):
    """The wheel, checked, as a file in `downloads` or one of pip's local folders."""
    wheel, part = downloads / filename, downloads / (filename + ".part")
    for folder in [downloads] + settings.local_folders():
        candidate = folder / filename
        if candidate.is_file() and sha256_of(candidate) == sha256:
            say(f"  {filename}: taken from {folder}")
            return candidate
    opener = settings.opener()
    url, headers = find_url(settings, opener, project, filename)
    for fresh in (False, True):
        if fresh:  # what was there before may have been damaged: once more from nothing
            part.unlink()
        with_retries(filename, lambda: download(opener, url, headers, part))
        got = sha256_of(part)
        if got == sha256:
            part.rename(wheel)
            return wheel
        say(f"  {filename}: sha256 differs from the pinned one")
    part.unlink()
    raise FetchError(f"{url}\n    sha256 {got}\n    pinned {sha256} (cmake/libtorch.lock)\n  Remedy: the "
                     "server or something on the way changes the file; use another network or mirror.")


def unpack(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.infolist() if member.filename.startswith(WANTED)]
        total = sum(member.file_size for member in members)
        progress, done = Progress("unpack " + wheel.name.split("-")[0], total), 0
        for member in members:
            archive.extract(member, folder)
            done += member.file_size
            progress.show(done)
        progress.finish()


def check_space(cache):
    free = shutil.disk_usage(cache).free
    if free < UNPACKED_BYTES:
        raise FetchError(f"{cache} has {free / 1e6:.0f} MB free, LibTorch needs "
                         f"{UNPACKED_BYTES / 1e6:.0f}.\n  Remedy: make room, or set KVSCOPE_CACHE to a "
                         "folder on another disk.")


def fetch(lock, cache):
    """Path of the unpacked LibTorch, fetched first if it is not there."""
    wheels = read_lock(lock)
    key = hashlib.sha256(repr(wheels).encode()).hexdigest()[:12]
    target = cache / f"libtorch-{wheels[0][1]}-{key}"
    if target.is_dir():
        return target / "torch"
    downloads, part = cache / "downloads", target.with_name(target.name + ".part")
    try:
        downloads.mkdir(parents=True, exist_ok=True)
        with (cache / "lock").open("w") as handle, contextlib.ExitStack() as stack:
            fcntl.flock(handle, fcntl.LOCK_EX)  # two set-ups at once share one download
            stack.callback(fcntl.flock, handle, fcntl.LOCK_UN)
            if target.is_dir():
                return target / "torch"
            check_space(cache)
            shutil.rmtree(part, ignore_errors=True)
            settings = PipSettings()
            files = [obtain(settings, downloads, project, filename, sha256)
                     for project, _, filename, sha256 in wheels]
            for file in files:
                unpack(file, part)
            part.rename(target)
            for file in files:
                if file.parent == downloads:
                    file.unlink()
    except OSError as error:
        raise FetchError(f"{error}\n  Remedy: run again (it goes on from where it stopped); if the cache "
                         f"folder {cache} cannot be written, name another with KVSCOPE_CACHE.") from error
    return target / "torch"


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    cache_home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=pathlib.Path, metavar="DIR",
                        default=os.environ.get("KVSCOPE_CACHE") or os.path.join(cache_home, "kvscope"),
                        help="default: $KVSCOPE_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/kvscope")
    parser.add_argument("--lock", type=pathlib.Path, default=here / "cmake" / "libtorch.lock",
                        metavar="FILE", help="default: cmake/libtorch.lock")
    arguments = parser.parse_args()
    try:
        print(fetch(arguments.lock, pathlib.Path(arguments.cache).absolute()))
    except FetchError as error:
        say(f"fetch_libtorch: {error}")
        return 3
    except KeyboardInterrupt:
        say("\nfetch_libtorch: interrupted; the next run goes on from here")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
