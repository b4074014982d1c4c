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

"""The operator's command line, ``glance-bufswift``.

In the order in which they build on each other::

    status.py     what the exit statuses mean
    files.py      the files that glance-api reads, and what is in them
    config.py     Glance's configuration, and the stores in it
    output.py     tables, JSON, CSV, progress
    plot.py       what was measured, as a chart
    report.py     what glance-bufswift check prints
    orphans.py    glance-bufswift orphans list|delete
    check.py      glance-bufswift check
    arguments.py  arguments and their help
    manual.py     that help as a manual page
    main.py       the entry point
"""
