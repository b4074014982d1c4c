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

"""The demo: one image through faults, by this driver and by the stock one.

image.py    the image as a stream that can't be rewound
plan.py     which segments meet a fault; what a run came to, and whether
            that is right
stage.py    one upload with a driver, faults, and a look at what is left
screen.py   what is printed
"""
