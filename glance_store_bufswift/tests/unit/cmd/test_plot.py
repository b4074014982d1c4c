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

"""Figures in characters."""

import configparser

from oslotest import base

from glance_store_bufswift.check import advice
from glance_store_bufswift.cmd import plot
from glance_store_bufswift.tests.unit.check import measured

FIGURES = """\
fast: what this site carries, in MB/s

  to Swift   1 connection               60  ########
             2 connections             120  #################
             4 connections             235  #################################
             8 connections             240  ##################################
  from Swift 1 connection               50  #######
             2 connections             100  ##############
             4 connections             200  ############################
             8 connections             210  ##############################
  disk       beyond the page cache     3.0  #
  digests    md5                       845  #################################>
             sha256                   1950  #################################>
             sha512                    866  #################################>
             both MD5s in one pass     770  #################################>
             both MD5s and sha512      510  #################################>

  A HEAD takes 4 ms, a PUT of one byte 20 ms.

"""


class TestPlot(base.BaseTestCase):
    def test_figures(self) -> None:
        store = measured.store(disk=3, triple=510)
        text = plot.of_store(store, advice.proposals(store))
        self.assertEqual(FIGURES, text[: len(FIGURES)])

    def test_what_is_missing(self) -> None:
        store = measured.store(disk=None, pair=None)
        text = plot.of_store(store, advice.proposals(store))
        self.assertRegex(text, r'\n  disk +beyond the page cache +-\n')
        self.assertNotIn('one pass', text)

    def test_width(self) -> None:
        store = measured.store(
            up=[12345] * 4,
            down=[1] * 4,
            put=123,
            room=1,
            digests=dict.fromkeys(measured.DIGESTS, 0.5),
        )
        text = plot.of_store(store, advice.proposals(store))
        self.assertTrue(text.isascii())
        self.assertGreaterEqual(79, max(map(len, text.splitlines())))

    def test_lines_can_be_read(self) -> None:
        """What is told for glance-api.conf can be put there as it is."""
        store = measured.store()
        lines = advice.proposals(store)
        text = plot.of_store(store, lines)
        parser = configparser.ConfigParser()
        parser.read_string(text[text.index('[DEFAULT]') :])
        self.assertEqual(
            {(line.section, line.option, str(line.value)) for line in lines},
            {('DEFAULT', *each) for each in parser.defaults().items()}
            | {
                ('fast', name, parser['fast'][name])
                for name in parser['fast']
                if name not in parser.defaults()
            },
        )
        # Each has its reason, and what it is so far.
        text = text.replace('\n# ', ' ')
        self.assertEqual(
            (3, 2), (text.count('(now '), text.count('(as it is)'))
        )
