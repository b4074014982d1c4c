#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""HAProxy and nginx of the distribution, to stand between client and Swift.

What their defaults would not let through, or log elsewhere, is set; the rest
is as a site finds it.
"""

import dataclasses
import getpass
import os
import shutil
import textwrap

from glance_store_bufswift.tests.support.cloud import process

INSTALL = (
    'Debian, Ubuntu: apt-get install --no-install-recommends {0}\n'
    'CentOS: dnf install {0}'
)

# Debian and CentOS keep them where only root looks.
_PATH = os.pathsep.join([os.environ.get('PATH', os.defpath), '/usr/sbin'])

_NGINX = """\
    daemon off;
    worker_processes 1;
    user {user};
    pid {root}/{name}.pid;
    error_log stderr warn;
    events {{}}
    http {{
        access_log off;
        client_body_temp_path {root}/{name}-body;
        proxy_temp_path {root}/{name}-proxy;
        fastcgi_temp_path {root}/{name}-fastcgi;
        uwsgi_temp_path {root}/{name}-uwsgi;
        scgi_temp_path {root}/{name}-scgi;
        server {{
            listen {host}:{port};
            location / {{
                proxy_pass http://{host}:{upstream};
                {more}
            }}
        }}
    }}
    """

_HAPROXY = """\
    global
        log stderr format raw daemon notice
    defaults
        mode http
        log global
        timeout connect 10s
        timeout client 60s
        timeout server 60s
        {more}
    listen swift
        bind {host}:{port}
        server swift {host}:{upstream}
    """

_UNBUFFERED = (
    'client_max_body_size 0; proxy_request_buffering off; '
    'proxy_buffering off; proxy_http_version 1.1;'
)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A program and one way to configure it.

    :ivar more: what its configuration has beyond the template
    """

    program: str
    more: str = ''


KINDS = {
    'haproxy': Kind('haproxy'),
    'haproxy buffering': Kind('haproxy', 'option http-buffer-request'),
    'haproxy compressing': Kind(
        'haproxy',
        'compression algo gzip\n    compression type '
        'application/octet-stream application/json text/plain',
    ),
    'nginx': Kind('nginx', _UNBUFFERED),
    'nginx buffering': Kind('nginx', 'client_max_body_size 0;'),
    'nginx compressing': Kind(
        'nginx',
        f'{_UNBUFFERED} gzip on; gzip_types *; gzip_proxied any; '
        'gzip_min_length 1; gzip_http_version 1.0;',
    ),
    'nginx as installed': Kind('nginx'),
}


def find(program: str) -> str | None:
    """Return the path of a program, None if it is not installed."""
    return shutil.which(program, path=_PATH)


def missing(kind: str) -> str | None:
    """Return what to install for this kind, None if it is there."""
    program = KINDS[kind].program
    if find(program):
        return None
    return f'{program} is not installed. {INSTALL.format(program)}'


def start(
    keeper: process.Keeper, kind: str, upstream: int, health: str
) -> int:
    """Start one, and wait until it answers.

    :param upstream: the port that it passes requests on to
    :param health: a path that is answered there
    :returns: its own port
    """
    program = KINDS[kind].program
    path = find(program)
    if path is None:
        raise process.ServerError(str(missing(kind)))
    [port] = process.free_ports(1)
    name = f'{program}-{port}'
    config = keeper.root / f'{name}.conf'
    template = _NGINX if program == 'nginx' else _HAPROXY
    config.write_text(
        textwrap.dedent(template).format(
            name=name,
            root=keeper.root,
            user=getpass.getuser(),
            port=port,
            host=process.HOST,
            upstream=upstream,
            more=KINDS[kind].more,
        )
    )
    how = (
        ['-c', str(config)]
        if program == 'nginx'
        else ['-db', '-f', str(config)]
    )
    server = keeper.start(name, 'program', path, *how)
    keeper.wait(server, port, health)
    return port
