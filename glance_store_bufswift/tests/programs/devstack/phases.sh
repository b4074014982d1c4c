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

# Run this repository's plugin through the phases of devstack's scripts.
#
# usage: phases.sh stack|unstack|clean
#
# The environment has PLUGIN, the directory of the plugin's files, and TOP_DIR,
# which holds local.conf and gets everything that is written. The order is that
# of stack.sh, unstack.sh and clean.sh. What lib/glance does to the files when
# Swift runs and Glance has several stores is done here; services are not
# started.

# The plugin uses what is set here, and nothing that is sourced can be followed.
# shellcheck disable=SC1090,SC1091,SC2034

HARNESS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# devstack's awk program escapes a "#", of which gawk warns since 5.2.
function devstack_awk {
    awk "$@" 2> >(grep -v "regexp escape sequence \`.#' is not a known" >&2)
}

source "$HARNESS/functions.sh"
if [[ -n "${TESTS_DEVSTACK:-}" ]]; then
    declare -A GITREPO GITDIR GITBRANCH
    CONFIG_AWK_CMD=devstack_awk
    source "$TESTS_DEVSTACK/functions-common"
    source "$TESTS_DEVSTACK/inc/ini-config"
    source "$TESTS_DEVSTACK/inc/meta-config"
fi

# What the scripts do beyond the files of a test is noted, not done.

function note {
    echo "$*" >> "$TOP_DIR/calls"
}

function setup_develop {
    note setup_develop "$@"
}

function echo_summary {
    note echo_summary "$@"
}

function sudo {
    "$@"
}

# The two ends of lib/glance that the plugin stands between.

function source_glance {
    GLANCE_ENABLE_MULTIPLE_STORES=$(trueorfalse False GLANCE_ENABLE_MULTIPLE_STORES)
    GLANCE_CONF_DIR=${GLANCE_CONF_DIR:-$TOP_DIR/etc/glance}
    GLANCE_API_CONF=$GLANCE_CONF_DIR/glance-api.conf
    GLANCE_SWIFT_STORE_CONF=$GLANCE_CONF_DIR/glance-swift-store.conf
}

function configure_glance {
    mkdir -p "$GLANCE_CONF_DIR"
    iniset "$GLANCE_API_CONF" DEFAULT debug True
    if [[ "$GLANCE_ENABLE_MULTIPLE_STORES" == "True" ]]; then
        local store
        for store in os_glance_staging_store os_glance_tasks_store; do
            iniset "$GLANCE_API_CONF" $store filesystem_store_datadir "$DATA_DIR/glance/$store/"
        done
    fi
}

function create_glance_accounts {
    iniset "$GLANCE_SWIFT_STORE_CONF" ref1 project_domain_id default
    iniset "$GLANCE_SWIFT_STORE_CONF" ref1 user_domain_id default
}

# The phases.

function run_plugin {
    note plugin "$@"
    # With an argument of its own, or plugin.sh would see those of this script.
    source "$PLUGIN/plugin.sh" "$@"
}

function load_local {
    ENABLED_SERVICES=key,g-api,rabbit,mysql
    DEST=${DEST:-$TOP_DIR}
    SERVICE_PROJECT_NAME=service
    SERVICE_PASSWORD=${SERVICE_PASSWORD:-secret}
    KEYSTONE_SERVICE_URI=${KEYSTONE_SERVICE_URI:-http://127.0.0.1/identity}
    SSL_BUNDLE_FILE=$TOP_DIR/ca-bundle.pem
    STACK_USER=$(id -un)
    source <(get_meta_section "$TOP_DIR/local.conf" local localrc)
    DATA_DIR=${DATA_DIR:-$DEST/data}
}

function run_stack {
    load_local
    source "$PLUGIN/override-defaults"
    source_glance
    source "$PLUGIN/settings"
    run_plugin stack pre-install
    configure_glance
    run_plugin stack install
    create_glance_accounts
    run_plugin stack post-config
    merge_config_group "$TOP_DIR/local.conf" post-config
    run_plugin stack extra
    run_plugin stack test-config
}

function run_unstack {
    load_local
    source "$PLUGIN/override-defaults"
    source_glance
    source "$PLUGIN/settings"
    run_plugin unstack
}

function run_clean {
    load_local
    source_glance
    source "$PLUGIN/settings"
    run_plugin clean
}

if [[ "$1" == "stack" ]]; then
    set -o errexit
fi
run_"$1"
