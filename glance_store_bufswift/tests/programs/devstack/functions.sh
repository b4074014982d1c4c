#!/usr/bin/env bash
#
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

# The functions of devstack that plugins call. They behave as those of
# devstack's inc/ini-config, inc/meta-config and functions-common do, as far as
# a plugin can tell; a real devstack in TESTS_DEVSTACK takes their place.

# INI files

function _ini {
    local action=$1 file=$2
    if [[ ! -f "$file" ]]; then
        touch "$file"
    fi
    local edited
    edited=$(ACTION=$action SECTION=$3 OPTION=$4 VALUE=$5 \
        awk -f "$HARNESS/ini.awk" "$file")
    if [[ "$action" == "get" ]]; then
        echo "$edited"
    else
        echo "$edited" > "$file"
    fi
}

# One blank stands between the words of a value, whatever stood there before.
function iniset {
    local words
    read -r -a words <<< "$4"
    if [[ -n "$2" && -n "$3" ]]; then
        _ini set "$1" "$2" "$3" "${words[*]}"
    fi
}

function iniadd_literal {
    _ini add "$@"
}

function inidelete {
    _ini delete "$@" ""
}

function iniget {
    local words
    read -r -d '' -a words <<< "$(_ini get "$@" "")" || true
    echo "${words[*]}"
}

# Meta-sections of local.conf

function get_meta_section {
    awk -v wanted="[[$2|$3]]" '
        /^\[\[.+\|.*\]\]/ { inside = $1 == wanted; next }
        inside' "$1"
}

function get_meta_section_files {
    sed -n "s/^\[\[$2|\(.*\)\]\].*/\1/p" "$1"
}

function merge_config_file {
    local target section="" line option
    target=$(eval echo "$3")
    while read -r line; do
        case "$line" in
            "#"* | "") ;;
            "["*) section=${line//[][]/} ;;
            *)
                option=${line%%=*}
                iniset "$target" "$section" "${option%"${option##*[! ]}"}" \
                    "$(eval echo "\"${line#*=}\"")"
                ;;
        esac
    done < <(get_meta_section "$1" "$2" "$3")
}

function merge_config_group {
    local file
    for file in $(get_meta_section_files "$1" "$2"); do
        merge_config_file "$1" "$2" "$file"
    done
}

# Control

function trueorfalse {
    case "${!2:-}" in
        1 | [yY]es | YES | [tT]rue | TRUE) echo True ;;
        0 | [nN]o | NO | [fF]alse | FALSE) echo False ;;
        *) echo "$1" ;;
    esac
}

function die {
    echo "[ERROR] line $1: ${*:2}" >&2
    exit 1
}

function warn {
    echo "[WARNING] line $1: ${*:2}" >&2
}

# Services

function is_service_enabled {
    local service
    for service in "$@"; do
        if [[ ",$ENABLED_SERVICES," == *",$service,"* ]]; then
            return 0
        fi
    done
    return 1
}

function enable_service {
    local service
    for service in "$@"; do
        if [[ ",${DISABLED_SERVICES:-}," == *",$service,"* ]]; then
            warn "$LINENO" "Attempt to enable_service $service when it has been disabled"
        elif ! is_service_enabled "$service"; then
            ENABLED_SERVICES+=",$service"
        fi
    done
}

function disable_service {
    local service
    for service in "$@"; do
        DISABLED_SERVICES+=",$service"
        ENABLED_SERVICES=",$ENABLED_SERVICES,"
        ENABLED_SERVICES=${ENABLED_SERVICES//,$service,/,}
        ENABLED_SERVICES=${ENABLED_SERVICES#,}
        ENABLED_SERVICES=${ENABLED_SERVICES%,}
    done
}

# Plugins

function define_plugin {
    :
}
