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

# Read or change one option of an INI file, as devstack's functions do: section
# and option are regular expressions, a new option goes first in its section,
# a new section goes last, every line of an option that is set again is set.
#
# ACTION is get, set, add or delete; SECTION, OPTION and VALUE say what.

BEGIN {
    action = ENVIRON["ACTION"]
    header = "^\\[" ENVIRON["SECTION"] "\\]"
    assignment = "^" ENVIRON["OPTION"] "[ \t]*="
    new = ENVIRON["OPTION"] " = " ENVIRON["VALUE"]
}

{ line[++count] = $0 }

/^\[.*\]/ {
    inside = $0 ~ header
    if (inside && !at) at = count
    next
}

inside && $0 ~ assignment { hit[count] = 1; hits++ }

END {
    if (action == "get") {
        for (i = 1; i <= count; i++)
            if (hit[i]) print substr(line[i], index(line[i], "=") + 1)
        exit
    }
    missing = action == "add" || (action == "set" && !hits)
    for (i = 1; i <= count; i++) {
        if (!hit[i] || action == "add") print line[i]
        else if (action == "set") {
            sub(/=[ \t]*.*/, "", line[i])
            print line[i] "= " ENVIRON["VALUE"]
        }
        if (missing && i == at) print new
    }
    if (missing && !at) print "\n[" ENVIRON["SECTION"] "]\n" new
}
