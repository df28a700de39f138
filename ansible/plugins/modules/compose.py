#!/usr/bin/python
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: compose
short_description: Record the compose projects of a host in Rollcall
version_added: 0.1.0
author: Rollcall contributors
description:
  - Says which compose projects a host has, as items of the type C(application), and of which containers they are made,
    as items of the type C(container). All of them C(runs_on) the host, and a project C(depends_on) its containers.
  - One task is a whole reading of that host. Containers and projects that it no longer names are no longer said, and
    are missing, then retired. Where a great part is gone at once, or all of it, nothing is taken away until a person
    says that it is meant, which is a warning.
  - It asks no docker by itself. It is told what docker printed on the host, and runs where Rollcall is reached.
options:
  ci:
    description: The name or the id of the host. The variable C(rollcall.id) of a host is its id.
    type: str
    required: true
  ci_type:
    description: The type of the host, where several bear the name.
    type: str
  site_id:
    description: The site of the host, where several bear the name.
    type: str
  containers:
    description:
      - All containers of the host's projects, as C(docker ps --all --format json) or C(docker compose ps --all --format
        json) prints them, or as C(containers) of M(community.docker.docker_host_info) has them. A list of such texts
        does as well.
      - With C(--format json) docker shows commands and labels as well, which may hold secrets. The example asks for
        nothing but what is needed.
      - Containers of no project, and those that C(docker compose run) made for once, are left out.
    type: raw
    required: true
  projects:
    description:
      - All projects, as C(docker compose ls --all --format json) prints them. It adds those without a container, and
        where each is defined.
    type: raw
extends_documentation_fragment:
  - rollcall.cmdb.service.module
attributes:
  check_mode:
    description: The service says what the task would come to, and keeps nothing of it.
    support: full
  diff_mode:
    description: Shows what differs of each item.
    support: full
"""

EXAMPLES = r"""
# examples/compose.yml of the collection lists the projects as well.
- name: List the containers of all projects
  ansible.builtin.command:
    argv:
      - docker
      - ps
      - --all
      - --filter
      - label=com.docker.compose.project
      - --format
      - !unsafe >-
        {"Names": {{json .Names}}, "Image": {{json .Image}}, "State": {{json .State}}, "Ports": {{json .Ports}},
        "Project": {{json (.Label "com.docker.compose.project")}},
        "Service": {{json (.Label "com.docker.compose.service")}},
        "Oneoff": {{json (.Label "com.docker.compose.oneoff")}}}
  register: docker
  changed_when: false
  check_mode: false

- name: Record them
  rollcall.cmdb.compose:
    ci: "{{ rollcall.id }}"
    containers: "{{ docker.stdout }}"
  delegate_to: localhost
"""

RETURN = r"""
projects:
  description: The names of the host's projects.
  returned: success
  type: list
  elements: str
  sample: [shop]
containers:
  description: The names of their containers.
  returned: success
  type: list
  elements: str
  sample: [shop-db-1, shop-web-1]
held:
  description: Whether what is no longer there waits for a person.
  returned: success
  type: bool
pass_id:
  description: The reading, as C(rollcall passes show) knows it.
  returned: success
  type: str
"""

import json
import re

from ansible_collections.rollcall.cmdb.plugins.module_utils.service import Failure
from ansible_collections.rollcall.cmdb.plugins.module_utils.task import Task, item_path

LABEL = "com.docker.compose."
STATES = {"running": "running", "restarting": "running", "paused": "paused"}


def main():
    task = Task(
        {
            "ci": {"type": "str", "required": True},
            "ci_type": {"type": "str"},
            "site_id": {"type": "str"},
            "containers": {"type": "raw", "required": True},
            "projects": {"type": "raw"},
        }
    )
    task.run(record)


def record(task):
    params = task.params
    listed = rows_of(params["projects"], "projects")
    containers = [one for row in rows_of(params["containers"], "containers") if (one := container_of(row))]
    host = task.read(item_path(params["ci"]), {key: params[key] for key in ("ci_type", "site_id")})
    projects = projects_of(listed, containers)
    items = [*(item_of_project(name, one, host) for name, one in projects.items())]
    items += [item_of_container(one, host) for one in containers]
    body = {
        "source": f"ansible:compose/{host['ci_id']}",
        "complete": True,
        "dry_run": task.module.check_mode,
        "items": items,
    }
    # A reading that is rehearsed says so in its body.
    _, taken = task.service.call("POST", "/passes", None, body, params["change_ref"])
    if taken["errors"]:
        first = taken["errors"][0]
        fault = first["errors"][0]
        raise Failure(f"{items[first['index']]['ci_name']} at {fault['pointer']}: {fault['detail']}")
    held = taken["outcome"] == "suspicious"
    if held:
        task.module.warn(
            f"Nothing of {host['ci_name']} is taken away: {taken['why']}. If it is right, say so: "
            f"rollcall passes accept {taken['pass_id']}"
        )
    for index in taken["waiting"]:
        task.module.warn(f"{items[index]['ci_name']} could be of several items, and waits: see rollcall conflicts")
    before = {one["ci_name"]: one["before"] for one in taken["changes"]}
    after = {one["ci_name"]: one["after"] for one in taken["changes"]}
    return task.result(
        before,
        after,
        projects=sorted(projects),
        containers=sorted(one["name"] for one in containers),
        held=held,
        pass_id=taken["pass_id"],
    )


# --- what docker prints ---


def rows_of(value, option):
    """The objects in it: a list or one, as text or as Ansible read it already, all at once or one a line."""
    if value is None or value == "":
        return []
    if isinstance(value, dict):
        return [value]
    if isinstance(value, (list, tuple)):
        return [row for entry in value for row in rows_of(entry, option)]
    if isinstance(value, str):
        return [row for entry in parsed(value, option) for row in rows_of(entry, option)]
    raise Failure(f"{option} is not what docker prints: it holds {value!r:.40}")


def parsed(text, option):
    try:
        whole = json.loads(text)
    except ValueError:
        pass
    else:
        if isinstance(whole, (dict, list)):
            return [whole]
    try:
        lines = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        lines = [None]
    if all(isinstance(line, (dict, list)) for line in lines):
        return lines
    # Commands and labels of containers are nobody else's business.
    raise Failure(f"{option} is not what docker prints with --format json")


def container_of(row):
    """None of what belongs to no project, or was made for once."""
    labels = labels_of(row.get("Labels"))
    name = row.get("Name") or row.get("Names")
    if isinstance(name, str):
        name = name.split(",")
    # Links to other containers are names as well, with a path.
    own = [one.lstrip("/") for one in name or [] if "/" not in one.lstrip("/")]
    project = row.get("Project") or labels.get("project")
    if not own or not project or (row.get("Oneoff") or labels.get("oneoff")) == "True":
        return None
    state = row.get("State")
    if isinstance(state, dict):
        state = state.get("Status")
    return {
        "name": own[0],
        "project": project,
        "service": row.get("Service") or labels.get("service"),
        "image": row.get("Image"),
        "status": STATES.get(str(state).lower(), "stopped"),
        "ports": ports_of(row),
    }


def labels_of(labels):
    """Those of compose, without its prefix. In text they are not told apart surely; names have no commas."""
    if isinstance(labels, dict):
        return {key[len(LABEL) :]: value for key, value in labels.items() if key.startswith(LABEL)}
    text = labels if isinstance(labels, str) else ""
    return dict(re.findall(r"(?:^|,)com\.docker\.compose\.(project|service|oneoff)=([^,]*)", text))


def ports_of(row):
    """Published ones, as docker ps shows them: 0.0.0.0:8080->80/tcp."""
    ports = row.get("Publishers") or row.get("Ports") or []
    if isinstance(ports, str):
        return sorted({port for port in re.split(r",\s*", ports) if "->" in port})
    shown = set()
    for port in (one for one in ports if isinstance(one, dict)):
        address = port.get("URL") or port.get("IP") or ""
        public = port.get("PublishedPort") or port.get("PublicPort")
        private = port.get("TargetPort") or port.get("PrivatePort")
        if public:
            host = f"[{address}]" if ":" in address else address
            shown.add(f"{host}:{public}->{private}/{port.get('Protocol') or port.get('Type') or 'tcp'}")
    return sorted(shown)


def projects_of(listed, containers):
    """By name: the containers of each, and where it is defined."""
    projects = {}
    for row in listed:
        if not row.get("Name"):
            raise Failure("projects is not what docker compose ls prints with --format json")
        files = row.get("ConfigFiles") or ""
        projects[row["Name"]] = {"containers": [], "files": [file for file in files.split(",") if file]}
    for one in containers:
        projects.setdefault(one["project"], {"containers": [], "files": []})["containers"].append(one)
    return projects


# --- what is said of it ---


def item_of_project(name, project, host):
    containers = project["containers"]
    running = any(one["status"] == "running" for one in containers)
    peers = [one["service"] for one in containers]
    return {
        "ci_type": "application",
        "ci_name": name,
        "external_id": f"project/{name}",
        "site_id": host["site_id"],
        "ci_status": "running" if running else "stopped",
        "technical_specs": {"parent": host["ci_name"], "config_files": project["files"] or None},
        "relationships": [
            on_host(host),
            *(
                {
                    "relationship_type": "depends_on",
                    "ci_name": one["name"],
                    # Of several of one service, the others carry on.
                    "relationship_strength": "weak" if peers.count(one["service"]) > 1 else "strong",
                }
                for one in containers
            ),
        ],
    }


def item_of_container(container, host):
    return {
        "ci_type": "container",
        "ci_name": container["name"],
        "external_id": f"container/{container['name']}",
        "site_id": host["site_id"],
        "ci_status": container["status"],
        "technical_specs": {
            "parent": host["ci_name"],
            "project": container["project"],
            "compose_service": container["service"],
            "image": container["image"],
            "ports": container["ports"] or None,
        },
        "relationships": [on_host(host)],
    }


def on_host(host):
    return {"relationship_type": "runs_on", "relationship_strength": "critical", "ci_id": host["ci_id"]}


if __name__ == "__main__":
    main()
