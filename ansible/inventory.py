#!/usr/bin/env python3
"""Ansible inventory from Rollcall:  ansible all -i inventory.py -m ping

Needs nothing but Python 3.9, and works copied or symlinked to anywhere.

  --list        the whole inventory, as Ansible asks for it
  --host NAME   the variables of one host

Each setting is looked for on its own: in the environment, then in [rollcall] of the
ansible.cfg that Ansible itself would read.

  environment              ansible.cfg   what
  ROLLCALL_URL             url           address of the service (http://127.0.0.1:7373)
  ROLLCALL_TOKEN                         the token itself; never in ansible.cfg
  ROLLCALL_TOKEN_FILE      token_file    a file that holds it
  ROLLCALL_TOKEN_COMMAND                 a command that prints it (bw get password rollcall)
  ROLLCALL_SITE            site          only the hosts of this site
  ROLLCALL_INCLUDE         include       also held or stopped hosts: held,stopped
  ROLLCALL_CA              ca            certificates to trust, for https
  ROLLCALL_TIMEOUT         timeout       for the whole answer: 10, 30s, 1m (10s)
  ROLLCALL_CACHE_DIR       cache_dir     where the last good answer is kept (~/.cache/rollcall)
  ROLLCALL_MAX_STALE       max_stale     how old that may get: 90, 30m, 24h, 7d; 0: never used (24h)

After these come the address and token in ~/.config/rollcall (written by "rollcall login"), and
last the token of the checkout that this file lies in (or of ROLLCALL_DATA).

Which token goes where: one that you name yourself goes to whatever address is in force. One that
is found goes only where it was made for: that of "rollcall login" to the address of that login,
that of a checkout to a loopback address.

While the service is down, the last good answer is printed instead, and stderr says so. Where there
is no true inventory to print, there is one sentence on stderr and, on stdout, JSON that Ansible
refuses as a whole: from a script that merely fails, it goes on with no hosts and exit 0.
"""

import os
import sys

# A folder of inventories may well hold a file called socket.py or json.py.
if sys.path and sys.path[0] == os.path.dirname(os.path.realpath(__file__)):
    del sys.path[0]

try:
    import hashlib
    import re
    import socket
    import stat
    import threading
    import time
    import urllib.parse
    import zlib

    missing = ""
except ImportError as error:  # the python3-minimal of some distributions
    missing = str(error)

DEFAULT_URL = "http://127.0.0.1:7373"
PATH = "/api/v1/inventory"
CONNECT_SECONDS = 2
TOKEN_COMMAND_SECONDS = 60
LEFTOVER_SECONDS = 7 * 86400

# Exit 1 in every version, in any project, beside any other inventory: nothing may contain "all".
REFUSED_BY_ANSIBLE = '{"_meta":{"hostvars":{}},"rollcall_unavailable":{"hosts":[],"children":["all"]}}'


class Failure(Exception):
    """There is no true inventory to print, and no copy may stand in; the message is for the operator."""


class Outage(Exception):
    """The service gave no whole and true answer; a copy may stand in. The message goes on after "Rollcall at URL"."""


def main(arguments):
    one_host = any(argument.startswith("--host") for argument in arguments)
    try:
        if sys.version_info < (3, 9):  # noqa: UP036 - "python3" may well be an older one
            raise Failure(
                "Rollcall's inventory script needs Python 3.9 or newer, and this is " + sys.version.split()[0]
            )
        if missing:
            raise Failure(f"Rollcall's inventory script needs a whole Python, and here is {missing}: {sys.executable}")
        return run(arguments)
    except BrokenPipeError:
        return reader_gone()
    except KeyboardInterrupt:
        return 130
    except Failure as failure:
        say(str(failure))
    except Exception as error:
        say(f"Rollcall's inventory script failed ({type(error).__name__}: {error})")

    # Ansible would take it for variables; an exit code is what it minds from --host.
    if one_host or printed or os.isatty(1):
        return 1
    try:
        show(REFUSED_BY_ANSIBLE.encode())
    except OSError:
        return reader_gone()
    return 0


def reader_gone():
    # Python would complain again while closing stdout.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 1


def run(arguments):
    if arguments in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if arguments == ["--list"]:
        show(inventory(Settings()))
        return 0
    if len(arguments) == 1 and arguments[0].startswith("--host="):
        arguments = ["--host", arguments[0][len("--host=") :]]
    if len(arguments) == 2 and arguments[0] == "--host" and arguments[1]:
        show(host_variables(Settings(), arguments[1]))
        return 0
    sys.stderr.write("usage: inventory.py --list | --host NAME | --help\n")
    return 2


# --- what is asked, and what is printed ---


def inventory(settings):
    """The bytes of a whole inventory: from the service, else the copy of its last good answer."""
    controller = controller_hash()
    copies = Copies(settings, controller)
    copy = copies.read(copies.path)
    try:
        status, headers, body = ask(settings, {}, controller, copy.etag if copy else "")
        if status == 304:
            if not copy or not copy.etag:
                raise Outage("says that nothing changed since a copy that is not there")
            copies.confirm()
            return copy.body
        check_inventory(body)
    except Outage as outage:
        return copies.stand_in(copy, outage).body
    copies.keep(headers.get("ETag", ""), body)
    return body


def host_variables(settings, name):
    """What --list has under _meta for this host. Ansible itself never asks: it has _meta."""
    controller = controller_hash()
    try:
        _, _, body = ask(settings, {"host": name}, controller, "")
        if not isinstance(parsed(body), dict):
            raise Outage("answers with JSON that is not the variables of a host")
        return body
    except Outage as outage:
        copies = Copies(settings, controller)
        copy = copies.stand_in(copies.read(copies.path), outage)
    hostvars = parsed(copy.body)["_meta"]["hostvars"]
    if name not in hostvars:
        raise Failure(f"The copy of Rollcall's inventory has no host {name}")

    import json

    return json.dumps(hostvars[name]).encode()


def parsed(body):
    # Here, because most answers are a 304: then there is nothing to parse.
    import json

    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        raise Outage("answers with something that is not whole JSON") from None


def check_inventory(body):
    """Parses all of it: the one check that holds whoever answered, and 50 ms at 10,000 hosts."""
    content = parsed(body)
    meta = content.pop("_meta", None) if isinstance(content, dict) else None
    hostvars = meta.get("hostvars") if isinstance(meta, dict) else None
    if not isinstance(hostvars, dict) or "all" not in content:
        raise Outage("answers with JSON that is not an inventory")
    # Of such an inventory Ansible would take all that comes before the fault, without its variables.
    if not all(isinstance(variables, dict) for variables in hostvars.values()):
        raise Outage("answers with an inventory that is not sound")
    for group in content.values():
        kinds = (("hosts", list), ("children", list), ("vars", dict))
        if not isinstance(group, dict) or not all(isinstance(group.get(key, kind()), kind) for key, kind in kinds):
            raise Outage("answers with an inventory that is not sound")


def controller_hash():
    """
    Tells the service whether this is the very machine it runs on, which it then calls local. Clones
    share a machine-id, so without a boot id and a host name there is nothing to tell.
    """
    boot, name = read_text("/proc/sys/kernel/random/boot_id"), socket.gethostname()
    if not boot or not name:
        return ""
    return hashlib.sha256(f"{boot}\n{name}\n{read_text('/etc/machine-id')}".encode()).hexdigest()


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4096).strip()
    except OSError:
        return ""


# --- the call ---


def ask(settings, query, controller, etag):
    """One GET: status (200 or 304), headers, unpacked body."""
    target = settings.target(query)
    headers = {
        "Authorization": f"Bearer {settings.token}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Connection": "close",
        "User-Agent": "rollcall-inventory",
    }
    if controller:
        headers["X-Rollcall-Controller"] = controller
    if etag:
        headers["If-None-Match"] = etag

    status, answered, body = within(settings.timeout, lambda: exchange(settings, target, headers))
    if status == 304:
        return status, answered, b""
    if status in (401, 403):
        why = "does not accept" if status == 401 else "gives no inventory to"
        raise Failure(
            f"Rollcall at {settings.url} {why} the token from {settings.token_from} ({status}): "
            'get a new one with "rollcall token create" or "rollcall login"'
        )
    if status != 200:
        detail = problem(answered, body)
        if 400 <= status < 500 and status != 429:
            raise Failure(f"Rollcall at {settings.url} refuses to give the inventory ({status}{detail})")
        raise Outage(f"answers {status}{detail}")
    kind = answered.get_content_type()
    if kind != "application/json":
        raise Outage(f"answers with {kind} instead of JSON")
    return status, answered, unpacked(answered, body)


def within(seconds, work):
    """
    What work returns, or an Outage. In a thread, because the time of a look-up of a name, of a
    handshake or of headers that trickle in cannot be limited from inside.
    """
    outcome = []

    def try_it():
        try:
            outcome.append((work(), None))
        except Exception as error:
            outcome.append((None, error))

    worker = threading.Thread(target=try_it, daemon=True)
    worker.start()
    worker.join(seconds)
    if not outcome:
        raise Outage(f"did not answer in full within {seconds:g} s")
    answer, error = outcome[0]
    if error:
        raise as_outage(error)
    return answer


def exchange(settings, target, headers):
    if not settings.tls:
        # http.client brings ssl along where it can, and that alone is a fifth of its start-up time.
        sys.modules.setdefault("ssl", None)
    import http.client

    limit = min(CONNECT_SECONDS, settings.timeout)
    if settings.tls:
        connection = http.client.HTTPSConnection(settings.host, settings.port, timeout=limit, context=settings.tls)
    else:
        connection = http.client.HTTPConnection(settings.host, settings.port, timeout=limit)
    try:
        connection.connect()
        connection.sock.settimeout(settings.timeout)
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def as_outage(error):
    import http.client

    if isinstance(error, (http.client.IncompleteRead, http.client.RemoteDisconnected, ConnectionResetError)):
        return Outage("broke off its answer")
    if isinstance(error, http.client.HTTPException):
        return Outage("does not speak HTTP")
    if isinstance(error, (TimeoutError, socket.timeout)):
        return Outage("cannot be reached in time")
    if isinstance(error, socket.gaierror):
        return Outage("is not found: no such host name")
    if isinstance(error, OSError):
        reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or error.strerror or error
        return Outage(f"cannot be reached ({str(reason).lower()})")
    return error


def unpacked(headers, body):
    coding = headers.get("Content-Encoding", "identity").strip().lower()
    if coding == "identity":
        return body
    if coding != "gzip":
        raise Outage(f"answers in the coding {coding}, which nobody asked for")
    packed = zlib.decompressobj(31)
    try:
        whole = packed.decompress(body)
    except zlib.error:
        raise Outage("answers with a damaged body") from None
    if not packed.eof:
        raise Outage("broke off its answer")
    if packed.unused_data:
        raise Outage("answers with a damaged body")
    return whole


def problem(headers, body):
    """What the service says of its refusal (RFC 9457), or where it points to instead."""
    if headers.get("Location"):
        return f", see {headers['Location'][:200]}"
    try:
        detail = parsed(unpacked(headers, body))["detail"]
    except Exception:
        return ""
    return f": {detail[:300].rstrip('.')}" if isinstance(detail, str) else ""


# --- the last good answer ---


class Copy:
    def __init__(self, path, fetched, etag, body):
        self.path, self.fetched, self.etag, self.body = path, fetched, etag, body

    def age(self):
        return time.time() - self.fetched


class Copies:
    """
    One file per service, query and controller. The controller is part of the name because the
    answer is: it may call one host local, which is true on this machine and in this boot alone (a
    clone has this folder too). Whose token asked is not: it decides whether there is an answer.

    A file is one line (time, SHA-256 of the body, ETag) and the body. It is replaced as a whole, so
    that two at once cannot hurt each other; trouble with it is never a reason to fail.
    """

    magic = b"rollcall-inventory-1 "

    def __init__(self, settings, controller):
        self.settings = settings
        self.folder = settings.cache_dir
        asked = f"{settings.url}\n{settings.target({})}"
        self.prefix = "inventory-" + hashlib.sha256(asked.encode()).hexdigest()[:16] + "-"
        self.path = os.path.join(self.folder, self.prefix + (controller[:16] or "anywhere") + ".copy")

    def read(self, path):
        """None too where the file is damaged, or is not this user's own: then anyone may have written it."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(handle, "rb") as file:
                status = os.fstat(handle)
                if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
                    return None
                line, body = file.readline(1024), file.read()
            magic, fetched, digest, etag = line.decode("ascii").rstrip("\n").split(" ")
            if magic.encode() + b" " != self.magic or digest != hashlib.sha256(body).hexdigest():
                return None
            return Copy(path, int(fetched), "" if etag == "-" else etag, body)
        except (OSError, ValueError):
            return None

    def keep(self, etag, body):
        if not re.fullmatch(r"[!-~]{1,200}", etag):
            etag = "-"
        head = f"{int(time.time()):020d} {hashlib.sha256(body).hexdigest()} {etag}\n"
        draft = f"{self.path}.{os.getpid()}.{os.urandom(4).hex()}.draft"
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            try:
                handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with open(handle, "wb") as file:
                    file.write(self.magic + head.encode())
                    file.write(body)
                os.replace(draft, self.path)
            except OSError:
                os.unlink(draft)
            self.clear()
        except OSError:
            pass

    def confirm(self):
        """The copy is as good as new: its time, which has a fixed place, is set to now."""
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.pwrite(handle, b"%020d" % int(time.time()), len(self.magic))
            finally:
                os.close(handle)
        except OSError:
            pass

    def clear(self):
        """Drops what earlier boots and killed processes left of this same question."""
        oldest = time.time() - max(LEFTOVER_SECONDS, self.settings.max_stale)
        for name in self.others():
            if os.stat(name).st_mtime < oldest:
                os.unlink(name)

    def others(self):
        names = [os.path.join(self.folder, name) for name in os.listdir(self.folder) if name.startswith(self.prefix)]
        return [name for name in names if name != self.path]

    def stand_in(self, copy, outage):
        """The copy to use while the service is down, after saying so; a Failure if there is none that may be used."""
        trouble = f"Rollcall at {self.settings.url} {outage}"
        copy = copy or self.from_elsewhere()
        if not copy:
            raise Failure(f"{trouble}, and there is no copy of an earlier answer in {self.folder}")
        age, limit = copy.age(), self.settings.max_stale
        if limit == 0:
            raise Failure(f"{trouble}, and ROLLCALL_MAX_STALE is 0, so that its last answer is not used: {copy.path}")
        if age < -300:
            raise Failure(f"{trouble}, and the copy of its last answer is dated in the future: {copy.path}")
        if age > limit:
            raise Failure(
                f"{trouble}, and the copy of its last answer is {in_words(age)} old, "
                f"more than ROLLCALL_MAX_STALE allows ({self.settings.max_stale_text}): {copy.path}"
            )
        say(f"{trouble}: using the copy of its last answer, which is {in_words(age)} old")
        return copy

    def from_elsewhere(self):
        """
        The newest copy of an earlier boot (or of another machine with this same home folder): just
        as true, unless some host in it may be called local.
        """
        maybe_local = re.compile(rb'"ansible_connection"\s*:\s*(?!"(?![a-z0-9_.]*local")[a-z0-9_.]+")')
        try:
            found = [self.read(name) for name in self.others() if name.endswith(".copy")]
        except OSError:
            return None
        usable = [copy for copy in found if copy and not maybe_local.search(copy.body)]
        return max(usable, key=lambda copy: copy.fetched, default=None)


def in_words(seconds):
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{max(0, seconds):.0f} s"


# --- settings ---


class Settings:
    """Everything that was set, checked; a Failure says which setting is wrong and where it stands."""

    def __init__(self):
        self.login = user_folder("XDG_CONFIG_HOME", "~/.config")
        self.cfg_path, self.cfg = ansible_cfg()

        self.url, self.host, self.port = address(*(self.find("url") or self.login_url() or (DEFAULT_URL, "")))
        self.site = self.find("site", "")[0].strip()
        self.include = ",".join(re.split(r"[\s,]+", self.find("include", "")[0].strip()))
        self.timeout = min(seconds(*self.find("timeout", "10s")), 86400)
        if self.timeout == 0:
            raise Failure(f"{self.find('timeout')[1]} is 0, which leaves the service no time to answer")
        self.max_stale_text, place = self.find("max_stale", "24h")
        self.max_stale = seconds(self.max_stale_text, place)
        self.cache_dir = self.folder_of_copies()
        self.tls = self.trust() if self.url.startswith("https:") else None
        self.token, self.token_from = self.find_token()
        secrets.append(self.token)
        if not re.fullmatch(r"[!-~]+", self.token):
            raise Failure(f"What {self.token_from} holds is no token: a token is one word of plain characters")

    def find(self, key, default=None):
        """The value and where it stands; without one, the default, if there is one."""
        variable = f"ROLLCALL_{key.upper()}"
        if os.environ.get(variable):
            return os.environ[variable], variable
        if self.cfg.get(key):
            return self.cfg[key], f"{key} in {self.cfg_path}"
        return None if default is None else (default, "")

    def login_url(self):
        path = os.path.join(self.login, "url")
        text = read_text(path)
        return (text, path) if text else None

    def find_path(self, key):
        found = self.find(key)
        if not found:
            return None
        base = "" if found[1].startswith("ROLLCALL_") else os.path.dirname(self.cfg_path)
        return os.path.abspath(os.path.join(base, os.path.expanduser(found[0]))), found[1]

    def folder_of_copies(self):
        named = self.find_path("cache_dir")
        if named:
            return named[0]
        return user_folder("XDG_CACHE_HOME", "~/.cache")

    def trust(self):
        import ssl

        named = self.find_path("ca")
        try:
            context = ssl.create_default_context(cafile=named[0] if named else None)
        except (OSError, ValueError) as error:
            raise Failure(f"No certificates can be read from {named[0]}, which {named[1]} names ({error})") from None
        if named:
            # Python 3.13 also asks for extensions that a home-made authority often lacks; the signature,
            # the dates and the name are verified all the same.
            context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        return context

    def find_token(self):
        if os.environ.get("ROLLCALL_TOKEN"):
            return os.environ["ROLLCALL_TOKEN"].strip(), "ROLLCALL_TOKEN"
        if os.environ.get("ROLLCALL_TOKEN_FILE"):
            path, place = self.find_path("token_file")
            return token_in(path, f"the file {path} ({place})")
        if os.environ.get("ROLLCALL_TOKEN_COMMAND"):
            return token_by_command(os.environ["ROLLCALL_TOKEN_COMMAND"]), "ROLLCALL_TOKEN_COMMAND"
        if self.cfg.get("token_file"):
            path, place = self.find_path("token_file")
            return token_in(path, f"the file {path} ({place})")

        hint = ""
        path = os.path.join(self.login, "token")
        if os.path.lexists(path):
            login_url = self.login_url()
            if login_url and address(*login_url)[0] == self.url:
                return token_in(path, f"the file {path}")
            hint = f" (that of {path} is for another address)"
        data = os.environ.get("ROLLCALL_DATA")
        data = data or os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "data")
        path = os.path.join(os.path.abspath(os.path.expanduser(data)), "ansible.token")
        if os.path.lexists(path):
            if is_loopback(self.host):
                return token_in(path, f"the file {path}")
            hint = hint or f" (that of {path} goes to this machine alone)"
        raise Failure(
            f"No token for Rollcall at {self.url} was found{hint}: set ROLLCALL_TOKEN or ROLLCALL_TOKEN_FILE, "
            f'or run "rollcall login"; a service that has not been started yet makes its token when it starts'
        )

    def target(self, query):
        query = {"site_id": self.site, "include": self.include, **query}
        given = {key: value for key, value in query.items() if value}
        path = urllib.parse.urlsplit(self.url).path + PATH
        return path + ("?" + urllib.parse.urlencode(given, safe=",") if given else "")


def user_folder(variable, usual):
    base = os.environ.get(variable, "")
    if not os.path.isabs(base):
        base = os.path.expanduser(usual)
    # A user without a home has no such folder: one below a file, never one called "~" in the working directory.
    return os.path.join(base if os.path.isabs(base) else os.devnull, "rollcall")


def ansible_cfg():
    """Path and [rollcall] section of the one file that Ansible itself would read."""
    for path in cfg_candidates():
        if os.path.exists(path) and os.access(path, os.R_OK) and not os.path.isdir(path):
            break
    else:
        return "", {}
    with open(path, "rb") as file:
        text = file.read()
    if b"[rollcall]" not in text:
        return path, {}

    import configparser

    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",), strict=False)
    try:
        parser.read_string(text.decode())
    except (configparser.Error, UnicodeDecodeError) as error:
        raise Failure(f"{path} cannot be read ({error})") from None
    section = dict(parser.items("rollcall")) if parser.has_section("rollcall") else {}
    if "token" in section:
        raise Failure(
            f"{path} holds a token itself in [rollcall], and such files are shared: "
            "move it to a file of mode 0600, and name that file by token_file"
        )
    if "token_command" in section:
        raise Failure(f"{path} holds token_command in [rollcall]: set ROLLCALL_TOKEN_COMMAND instead")
    return path, section


def cfg_candidates():
    named = os.environ.get("ANSIBLE_CONFIG")
    if named:
        named = os.path.abspath(os.path.expanduser(os.path.expandvars(named)))
        yield os.path.join(named, "ansible.cfg") if os.path.isdir(named) else named
    try:
        # As Ansible does: where all may write, anyone could have put it there.
        if not os.stat(os.getcwd()).st_mode & 0o002:
            yield os.path.join(os.getcwd(), "ansible.cfg")
    except OSError:
        pass
    yield os.path.expanduser("~/.ansible.cfg")
    yield "/etc/ansible/ansible.cfg"


def address(text, place):
    """The address in its one form, its host and its port. What stands there is not repeated: it may hold a password."""
    wrong = f"{place} is no address of a service: it looks like https://cmdb.example.org:7373"
    try:
        parts = urllib.parse.urlsplit(text.strip())
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Failure(wrong) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Failure(wrong)
    if parts.username is not None:
        raise Failure(f"{place} holds a user or password, which belongs into no address")
    if not re.fullmatch(r"[!-~]+", parts.hostname + parts.path):
        raise Failure(wrong)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown_port = "" if parts.port is None or port == (443 if parts.scheme == "https" else 80) else f":{port}"
    return f"{parts.scheme}://{host}{shown_port}{parts.path.rstrip('/')}", parts.hostname, port


def is_loopback(host):
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def seconds(text, place):
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([smhd]?)", text.strip().lower())
    if not found:
        raise Failure(f'{place} is no length of time: it looks like 90, 30s, 15m, 24h or 7d (it is "{text[:40]}")')
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def token_in(path, place):
    try:
        with open(path, encoding="utf-8") as file:
            token = file.read(4096).strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or "it is not text"
        raise Failure(f"The token cannot be read from {place}: {reason.lower()}") from None
    if not token:
        raise Failure(f"There is no token in {place}: it is empty")
    return token, place


def token_by_command(command):
    import signal
    import subprocess

    # No stdin and a session of its own: one that would ask for a password fails, and can be ended whole.
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    by_hand = "run the command by hand to see why"
    try:
        output, _ = process.communicate(timeout=TOKEN_COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise Failure(f"ROLLCALL_TOKEN_COMMAND printed no token within {TOKEN_COMMAND_SECONDS} s: {by_hand}") from None
    if process.returncode != 0:
        raise Failure(f"ROLLCALL_TOKEN_COMMAND ended with exit {process.returncode}: {by_hand}")
    token = output.decode(errors="replace").strip()
    if not token:
        raise Failure(f"ROLLCALL_TOKEN_COMMAND printed nothing: {by_hand}")
    return token


# --- what leaves ---

printed = []
secrets = []


def show(body):
    printed.append(True)
    sys.stdout.buffer.write(body)
    if os.isatty(1):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def say(sentence):
    """One line on stderr, in which no token stands and nothing that a terminal would obey."""
    for secret in secrets:
        if len(secret) >= 8:
            sentence = sentence.replace(secret, "***")
    line = " ".join("".join(c if c.isprintable() else " " for c in sentence).split())
    try:
        sys.stderr.write(line.rstrip(".") + ".\n")
        sys.stderr.flush()
    except OSError:
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
