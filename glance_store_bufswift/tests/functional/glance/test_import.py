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

"""Glance's import: data is staged first, then goes to one store or more."""

from glance_store_bufswift.tests.functional.glance import base
from glance_store_bufswift.tests.functional.glance import imports
from glance_store_bufswift.tests.support.cloud import faults


class TestImport(imports.Case):
    def test_glance_direct(self) -> None:
        self.stage()
        self.assertTrue(self.staged())
        self.bring('glance-direct', 'fast')
        self.wait_in('fast')
        self.assert_active(base.IMAGE, segments=3)

    def test_glance_direct_to_both(self) -> None:
        self.stage()
        self.bring('glance-direct', 'cheap', 'fast')
        self.wait_in('cheap,fast')
        self.remove('cheap')
        self.assert_active(base.IMAGE, segments=3)

    def test_copy_there_and_back(self) -> None:
        self.upload(base.IMAGE, X_Image_Meta_Store='cheap')
        self.assert_active(base.IMAGE, 'cheap', segments=0)
        self.bring('copy-image', 'fast')
        self.wait_in('cheap,fast')
        self.remove('cheap')
        self.assert_active(base.IMAGE, 'fast', segments=3)
        self.bring('copy-image', 'cheap')
        self.wait_in('fast,cheap')
        self.remove('fast')
        self.assert_nothing_left()
        self.assert_active(base.IMAGE, 'cheap')

    def test_copy_through_a_fault(self) -> None:
        self.upload(base.IMAGE, X_Image_Meta_Store='cheap')
        rule = self.proxy.add(
            faults.Rule(faults.Reset(base.SEGMENT // 2), 'PUT', '/0+2$')
        )
        self.bring('copy-image', 'fast')
        self.wait_in('cheap,fast')
        self.assertEqual(1, rule.applied)
        self.remove('cheap')
        self.assert_active(base.IMAGE, 'fast', segments=3)

    def test_copy_fails(self) -> None:
        self.upload(base.IMAGE, X_Image_Meta_Store='cheap')
        self.proxy.add(faults.Rule(faults.Status(code=403), 'PUT', '/0+2$'))
        self.bring('copy-image', 'fast')
        self.wait_for(
            os_glance_failed_import='fast', os_glance_importing_to_stores=''
        )
        self.assert_nothing_left()
        self.assert_active(base.IMAGE, 'cheap')

    def test_glance_direct_fails(self) -> None:
        self.stage()
        self.proxy.add(faults.Rule(faults.Status(code=403), 'PUT', '/0+2$'))
        self.bring('glance-direct', 'fast')
        self.wait_for(os_glance_failed_import='fast')
        self.assert_nothing_left()
