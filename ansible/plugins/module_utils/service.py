# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)

"""
Where Rollcall is, who we are to it, and one call to it: for modules, and for plugins on the controller.

The inventory script and the callback find address and token by the same rules, each on its own, because
each of them is one file that works copied alone.
"""

from __future__ import annotations

import configparser
import contextlib
import gzip
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse
import zlib

DEFAULT_URL = "http://127.0.0.1:7373"
DEFAULT_TIMEOUT = "10s"
CONNECT_SECONDS = 2
TOKEN_COMMAND_SECONDS = 60
MOST_BYTES = 512 * 1024 * 1024

TOKENS = ("token", "token_file", "token_command")
PATHS = ("token_file", "ca")
SETTINGS = ("url", "ca", "timeout", *TOKENS)


class Failure(Exception):
    """Something is set wrongly, or the service gave no answer. The message is a sentence for the operator."""


class Refusal(Failure):
    """The service understood, and says no."""

    def __init__(self, sentence, status, problem):
        super().__init__(sentence)
        self.status = status
        self.problem = problem


class Service:
    """`given` is what the task, the call or the inventory file says, `cfg` what [rollcall] in ansible.cfg does."""

    def __init__(self, given, cfg):
        settings = nearest(given, environment(), cfg)
        self.login = login_folder()
        url, self.host, self.port = address(settings.get("url") or login_url(self.login) or DEFAULT_URL)
        self.url = url
        self.parts = urllib.parse.urlsplit(url)
        self.timeout = seconds(settings.get("timeout") or DEFAULT_TIMEOUT)
        self.tls = trust(settings.get("ca")) if self.parts.scheme == "https" else None
        self.token, self.token_from = self.named_token(settings) or self.found_token()
        if not re.fullmatch(r"[!-~]+", self.token):
            raise Failure(f"What {self.token_from} holds is no token: a token is one word of plain characters")

    def call(self, method, path, query=None, body=None, change_ref=None):
        """Status and content of an answer. Throws Refusal where the service says no, Failure where it says nothing."""
        headers = {"X-Change-Ref": change_ref} if change_ref else {}
        status, text = self.text(method, path, query, body, headers)
        return status, self.parsed(text)

    def text(self, method, path, query=None, body=None, headers=None):
        """The same, unread."""
        given = {key: value for key, value in (query or {}).items() if value not in (None, "")}
        target = f"{self.parts.path}/api/v1{path}" + ("?" + urllib.parse.urlencode(given, safe=",") if given else "")
        content = b"" if body is None else json.dumps(body).encode()
        response, answered = self.exchange(self.head(method, target, len(content), headers or {}) + content)
        if not 200 <= response.status < 300:
            raise self.refused(response, answered)
        kind = response.headers.get_content_type()
        if kind != "application/json":
            raise Failure(f"Rollcall at {self.url} answers with {kind} instead of JSON")
        return response.status, answered

    def head(self, method, target, length, headers):
        lines = {
            "Host": self.parts.netloc,
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "rollcall-collection",
            "Connection": "close",
            **({"Content-Type": "application/json", "Content-Length": str(length)} if method != "GET" else {}),
            **headers,
        }
        if any(re.search(r"[\x00-\x1f\x7f]", value) for value in (target, *lines.values())):
            raise Failure("A change reference looks like owner/repo#123")
        return "".join(
            [f"{method} {target} HTTP/1.1\r\n", *(f"{k}: {v}\r\n" for k, v in lines.items()), "\r\n"]
        ).encode()

    def exchange(self, request):
        """In no more than `timeout` seconds, whatever the service does: a socket's own limit is for each piece."""
        end = time.monotonic() + self.timeout
        received = bytearray()
        late = "cannot be reached in time"
        try:
            with self.connected(end) as peer:
                late = f"did not answer in full within {self.timeout:g} s"
                # It may answer, and hang up, before it has read all.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    peer.settimeout(left(end))
                    peer.sendall(request)
                while len(received) < MOST_BYTES:
                    peer.settimeout(left(end))
                    piece = peer.recv(262144)
                    if not piece:
                        break
                    received += piece
            response = http.client.HTTPResponse(Received(bytes(received)))
            response.begin()
            return response, unpacked(response.headers, response.read())
        except (socket.timeout, TimeoutError):
            why = late
        except (http.client.IncompleteRead, http.client.RemoteDisconnected, ConnectionResetError, EOFError):
            why = "broke off its answer"
        except (zlib.error, gzip.BadGzipFile):
            why = "answers with a damaged body"
        except http.client.HTTPException:
            why = "does not speak HTTP"
        except socket.gaierror:
            why = "is not found: no such host name"
        except OSError as error:
            reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or error.strerror or error
            why = f"cannot be reached ({str(reason).lower()})"
        raise Failure(f"Rollcall at {self.url} {why}")

    def connected(self, end):
        peer = socket.create_connection((self.host, self.port), timeout=min(CONNECT_SECONDS, left(end)))
        if not self.tls:
            return peer
        try:
            return self.tls.wrap_socket(peer, server_hostname=self.host)
        except BaseException:
            peer.close()
            raise

    def refused(self, response, answered):
        status = response.status
        if response.headers.get("Location"):
            return Failure(f"Rollcall at {self.url} answers {status}, see {response.headers['Location'][:200]}")
        try:
            problem = self.parsed(answered)
            said = problem["detail"]
        except (Failure, KeyError, TypeError):
            return Failure(f"Rollcall at {self.url} answers {status} with {response.headers.get_content_type()}")
        if status in (401, 403):
            said = f"Rollcall at {self.url} refuses the token from {self.token_from} ({status}: {said.rstrip('.')})"
            return Refusal(said, status, problem)
        if status == 429 or status >= 500:
            return Failure(f"Rollcall at {self.url} answers {status}: {said.rstrip('.')}")
        several = [f"{one['ci_type']} at {one['site_id']} ({one['ci_id']})" for one in problem.get("candidates", [])]
        # The sentence has the first fault.
        faults = [f"At {fault['pointer']}: {fault['detail']}." for fault in problem.get("errors", [])[1:]]
        there = [f"There are: {', '.join(several)}."] if several else []
        return Refusal(" ".join([said, *faults, *there]), status, problem)

    def parsed(self, text):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise Failure(f"Rollcall at {self.url} answers with something that is not whole JSON") from None

    def named_token(self, settings):
        """One that is named goes to whatever address is in force."""
        if settings.get("token"):
            return settings["token"].strip(), "the setting token"
        if settings.get("token_file"):
            return token_in(os.path.abspath(os.path.expanduser(settings["token_file"])))
        if settings.get("token_command"):
            return token_by(settings["token_command"])
        return None

    def found_token(self):
        """One that is found goes only where it was made for."""
        path = os.path.join(self.login, "token")
        hint = ""
        if os.path.lexists(path):
            url = login_url(self.login)
            if url and address(url)[0] == self.url:
                return token_in(path)
            hint = f" (that of {path} is for another address)"
        data = os.environ.get("ROLLCALL_DATA") or data_of_checkout()
        path = data and os.path.join(os.path.abspath(os.path.expanduser(data)), "ansible.token")
        if path and os.path.lexists(path):
            if is_loopback(self.host):
                return token_in(path)
            hint = hint or f" (that of {path} goes to this machine alone)"
        raise Failure(
            f"No token for Rollcall at {self.url} was found{hint}: name one by token_file, "
            'set ROLLCALL_TOKEN_FILE, or run "rollcall login"'
        )


class Received:
    """An answer that is there already, for a parser that wants to read it from a socket."""

    def __init__(self, received):
        self.received = received

    def makefile(self, *_):
        return io.BytesIO(self.received)


def left(end):
    """Never 0, which would mean not to wait at all."""
    return max(0.01, end - time.monotonic())


def unpacked(headers, body):
    return gzip.decompress(body) if headers.get("Content-Encoding", "").strip().lower() == "gzip" else body


# --- settings ---


def nearest(*places):
    """The first place that has a setting wins; of the ways to name a token, those of the first that names one."""
    settings = {}
    for place in reversed(places):
        found = {key: place[key] for key in SETTINGS if place.get(key)}
        if any(key in found for key in TOKENS):
            settings = {key: value for key, value in settings.items() if key not in TOKENS}
        settings.update(found)
    return settings


def environment():
    return {key: os.environ.get("ROLLCALL_" + key.upper()) for key in SETTINGS}


def section_of(path):
    """[rollcall] in an ansible.cfg, its paths taken from where that lies."""
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",), strict=False)
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except (OSError, ValueError, configparser.Error) as error:
        raise Failure(f"{path} cannot be read ({error})") from None
    section = dict(parser.items("rollcall")) if parser.has_section("rollcall") else {}
    for key in ("token", "token_command"):
        if key in section:
            raise Failure(f"{path} holds {key} in [rollcall], and such files are shared: name a file by token_file")
    for key in PATHS:
        if section.get(key):
            section[key] = os.path.abspath(os.path.join(os.path.dirname(path), os.path.expanduser(section[key])))
    return section


def login_folder():
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):
        base = os.path.expanduser("~/.config")
    # A user without a home has no such folder: one below a file, never one called "~" in the working directory.
    return os.path.join(base if os.path.isabs(base) else os.devnull, "rollcall")


def login_url(folder):
    try:
        with open(os.path.join(folder, "url"), encoding="utf-8") as file:
            return file.read(4096).strip()
    except (OSError, ValueError):
        return ""


def data_of_checkout():
    """Where the service keeps its data by itself, if this file lies in its checkout. A module is run from elsewhere."""
    here = os.path.realpath(__file__).split(os.sep)
    return os.path.join(os.sep, *here[:-4], "data") if here[-4:-1] == ["ansible", "plugins", "module_utils"] else ""


def address(text):
    """The address in its one form, its host and its port. What stands there is not repeated: it may hold a password."""
    wrong = "The address of Rollcall is none: it looks like https://cmdb.example.org:7373"
    try:
        parts = urllib.parse.urlsplit(text.strip())
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Failure(wrong) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Failure(wrong)
    if parts.username is not None:
        raise Failure("The address of Rollcall holds a user or password, which belongs into no address")
    if not re.fullmatch(r"[!-~]+", parts.hostname + parts.path):
        raise Failure(wrong)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown_port = "" if port == (443 if parts.scheme == "https" else 80) else f":{port}"
    return f"{parts.scheme}://{host}{shown_port}{parts.path.rstrip('/')}", parts.hostname, port


def is_loopback(host):
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def seconds(text):
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*([smh]?)", str(text).strip().lower())
    if not found or not float(found[1]):
        raise Failure(f'timeout is no length of time: it looks like 10, 30s or 1m (it is "{str(text)[:40]}")')
    return min(float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]], 86400)


def trust(ca):
    import ssl

    try:
        trusted = ssl.create_default_context(cafile=os.path.expanduser(ca) if ca else None)
    except (OSError, ValueError) as error:
        raise Failure(f"No certificates can be read from {ca} ({error})") from None
    if ca:
        # Python 3.13 also asks for extensions that a home-made authority often lacks; the signature,
        # the dates and the name are verified all the same.
        trusted.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    return trusted


def token_in(path):
    try:
        with open(path, encoding="utf-8") as file:
            token = file.read(4096).strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or "it is not text"
        raise Failure(f"The token cannot be read from {path}: {reason.lower()}") from None
    if not token:
        raise Failure(f"There is no token in {path}: it is empty")
    return token, path


def token_by(command):
    # No stdin and a session of its own: one that would ask for a password fails, and can be ended whole.
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=TOKEN_COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        output = b""
    token = output.decode(errors="replace").strip() if process.returncode == 0 else ""
    if not token:
        raise Failure("token_command printed no token: run it by hand to see why")
    return token, "token_command"
