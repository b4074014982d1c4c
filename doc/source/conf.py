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

"""Sphinx configuration of the documentation."""

from importlib import metadata

from glance_store_bufswift.cmd import arguments
from glance_store_bufswift.cmd import manual

project = 'glance_store_bufswift'
copyright = 'glance_store_bufswift contributors, Apache-2.0'
version = release = metadata.version(project)

extensions = [
    'oslo_config.sphinxconfiggen',
    'oslo_config.sphinxext',
    'sphinx.ext.autodoc',
]

autodoc_typehints = 'description'

config_generator_config_file = [
    (
        '../../etc/oslo-config-generator/glance_store_bufswift.conf',
        '_static/glance_store_bufswift',
    ),
]

master_doc = 'index'
add_module_names = False
# What has no language of its own is output, a message or a drawing.
highlight_language = 'none'

#: Where to report, by setup.cfg; none of it while nothing is public.
urls = dict(
    each.split(', ', 1)
    for each in metadata.metadata(project).get_all('Project-URL') or ()
)
rst_epilog = '.. |report| replace:: ' + (
    f'Report it at {urls["Issues"]}.'
    if 'Issues' in urls
    else 'Report it to those from whom you have this copy.'
)

man_pages = [
    (
        'admin/glance-bufswift',
        'glance-bufswift',
        'try a store of the type swift+buffered, clean up after it',
        '',
        1,
    )
]

html_theme = 'furo'
html_title = f'{project} {release}'
html_static_path = ['_static']
html_css_files = ['pages.css']
html_show_sphinx = False


def fill_in(app, page, source):
    """Write the parsers' own help into the manual page."""
    if page == 'admin/glance-bufswift':
        source[0] = source[0].replace(
            '.. commands\n', manual.text(arguments.parser())
        )


def setup(app):
    """What Sphinx calls."""
    app.connect('source-read', fill_in)
