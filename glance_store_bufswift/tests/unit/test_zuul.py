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

"""The Zuul configuration: what Zuul would refuse, and names that are wrong.

Zuul itself can't be asked here. Its language is described in
https://zuul-ci.org/docs/zuul/latest/config/.
"""

import configparser
from pathlib import Path
import re
from typing import Any

from oslotest import base
import yaml

ROOT = Path(__file__).parents[3]

#: Jobs and templates of others, and the file that defines each, as of the
#: master branches of August 2026. A name that leaves its file is found by
#: Zuul alone, which then refuses every change.
UPSTREAM = {
    'openstack/openstack-zuul-jobs zuul.d/jobs.yaml': {
        'build-openstack-releasenotes',
        'openstack-tox',
        'openstack-tox-docs',
        'openstack-tox-functional',
    },
    'openstack/glance .zuul.yaml': {'tempest-integrated-storage-import'},
}
TEMPLATES = {
    'openstack/openstack-zuul-jobs zuul.d/project-templates.yaml': {
        'openstack-cover-jobs',
        'openstack-python3-jobs',
    },
}
#: Of opendev/base-jobs, which the jobs of openstack-zuul-jobs name too.
NODESETS = {'debian-trixie-8GB', 'ubuntu-jammy', 'ubuntu-noble'}

#: openstack/project-config zuul.d/pipelines.yaml.
PIPELINES = {'check', 'gate', 'periodic'}

#: The attributes of a job that this project uses, of those that Zuul has.
ATTRIBUTES = {
    'branches',
    'description',
    'irrelevant-files',
    'name',
    'nodeset',
    'parent',
    'required-projects',
    'timeout',
    'vars',
}

#: Environments of tempest's tox.ini, by the job that runs them.
TEMPEST = {'glance_store_bufswift-tempest': 'all'}


def items(kind: str) -> list[dict[str, Any]]:
    """What the files in zuul.d define of a kind."""
    return [
        item[kind]
        for path in sorted(ROOT.glob('zuul.d/*.yaml'))
        for item in yaml.safe_load(path.read_text())
        if kind in item
    ]


def uses(pipeline: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The jobs of a pipeline, and what it changes in each."""
    return [
        (entry, {}) if isinstance(entry, str) else next(iter(entry.items()))
        for entry in pipeline['jobs']
    ]


class TestZuul(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.jobs = {job['name']: job for job in items('job')}
        (self.project,) = items('project')
        self.pipelines = {
            name: value
            for name, value in self.project.items()
            if name != 'templates'
        }
        self.known = set(self.jobs).union(*UPSTREAM.values())

    def test_items(self) -> None:
        """Zuul takes one kind of thing for each item of a file."""
        kinds = [
            list(item)
            for path in ROOT.glob('zuul.d/*.yaml')
            for item in yaml.safe_load(path.read_text())
        ]
        self.assertEqual({'job', 'project'}, {kind for (kind,) in kinds})
        self.assertEqual(len(self.jobs), len(items('job')))

    def test_attributes(self) -> None:
        for job in self.jobs.values():
            self.assertLessEqual(set(job), ATTRIBUTES)
            self.assertIn(job.get('nodeset', 'ubuntu-noble'), NODESETS)
            self.assertIsInstance(job.get('timeout', 0), int)
            self.assertTrue(job['description'].strip())

    def test_parents(self) -> None:
        for job in self.jobs.values():
            self.assertIn(job['parent'], self.known)

    def test_pipelines(self) -> None:
        self.assertLessEqual(set(self.pipelines), PIPELINES)
        for pipeline in self.pipelines.values():
            for name, changed in uses(pipeline):
                self.assertIn(name, self.known)
                self.assertLessEqual(set(changed), ATTRIBUTES)

    def test_each_job_runs(self) -> None:
        used = {
            name
            for pipeline in self.pipelines.values()
            for name, _ in uses(pipeline)
        }
        self.assertEqual(set(), set(self.jobs) - used)

    def test_nothing_upstream_is_stale(self) -> None:
        used = {
            name
            for pipeline in self.pipelines.values()
            for name, _ in uses(pipeline)
        }
        used |= {job['parent'] for job in self.jobs.values()}
        self.assertEqual(set(), set().union(*UPSTREAM.values()) - used)

    def test_templates(self) -> None:
        self.assertEqual(
            set().union(*TEMPLATES.values()), set(self.project['templates'])
        )

    def test_environments(self) -> None:
        tox = configparser.RawConfigParser()
        tox.read(ROOT / 'tox.ini')
        ours = {name.removeprefix('testenv:') for name in tox.sections()}
        for name, job in self.jobs.items():
            environment = job['vars']['tox_envlist']
            if name in TEMPEST:
                self.assertEqual(TEMPEST[name], environment)
            else:
                self.assertIn(environment, ours)

    def test_patterns(self) -> None:
        for job in self.jobs.values():
            for pattern in job.get('irrelevant-files', []):
                re.compile(pattern)
        pattern = self.jobs['glance_store_bufswift-tempest']['vars'][
            'tempest_test_regex'
        ]
        self.assertTrue(
            re.match(
                pattern, 'tempest.api.image.v2.test_images.BasicOperations'
            )
        )

    def test_the_plugin(self) -> None:
        """The tempest job enables this repository's plugin and store."""
        settings = (ROOT / 'devstack/settings').read_text()
        (plugin,) = re.findall('^define_plugin (.+)$', settings, re.MULTILINE)
        (store,) = re.findall('GLANCE_BUFSWIFT_STORE:-(.+)}', settings)
        job = self.jobs['glance_store_bufswift-tempest']
        ((name, url),) = job['vars']['devstack_plugins'].items()
        self.assertEqual(plugin, name)
        repository = url.removeprefix('https://opendev.org/')
        self.assertIn(repository, job['required-projects'])
        config = job['vars']['devstack_local_conf']['post-config'][
            '$GLANCE_API_CONF'
        ]
        self.assertIn(
            f'{store}:swift+buffered', config['DEFAULT']['enabled_backends']
        )
        self.assertIn(store, config)
