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

"""What tests of Glance's import have in common."""

from pathlib import Path
from typing import Any

from glance_store_bufswift.tests.functional.glance import base
from glance_store_bufswift.tests.support.cloud import glance


class Case(base.TestCase):
    """Tests of an image that a task of Glance brings into its stores."""

    def bring(
        self,
        method: str,
        *stores: str,
        server: glance.Glance | None = None,
        **more: Any,
    ) -> None:
        """Have the image imported, by an administrator: who may copy."""
        answer = self.api(self.cloud.site.admin, server).post(
            f'/images/{self.image}/import',
            json={'method': {'name': method}, 'stores': stores, **more},
        )
        self.assertEqual(202, answer.status_code, answer.text)

    def remove(self, store: str) -> None:
        """Delete the image's copy in one of its stores."""
        answer = self.api(self.cloud.site.admin).delete(
            f'/stores/{store}/{self.image}'
        )
        self.assertEqual(204, answer.status_code, answer.text)

    def stage(self) -> None:
        answer = self.upload(base.IMAGE, to='stage')
        self.assertEqual(204, answer.status_code, answer.text)

    def staged(self) -> list[Path]:
        return list((self.glance.root / 'staging').iterdir())

    def wait_in(self, stores: str) -> None:
        """Wait until an import is over and has brought the image there.

        The task saves the record once more when it has all values already;
        then it gives up its lock.
        """
        self.wait_for(
            status='active', stores=stores, os_glance_importing_to_stores=''
        )
        self.wait_until(lambda: 'os_glance_import_task' not in self.show())
