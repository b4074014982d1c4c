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

# Make swift+buffered the default store of devstack's Glance.
#
# devstack sources this file at each of its phases:
#   stack pre-install, stack install, stack post-config, unstack, clean
#
# lib/glance leaves Swift as one of several stores to others, so everything
# that such a store needs is set here. Swift does not run yet in post-config:
# nothing there may talk to it. What local.conf sets for post-config is merged
# into the files after that, and so wins.

function check_bufswift {
    if ! is_service_enabled g-api || ! is_service_enabled s-proxy; then
        die $LINENO "glance_store_bufswift needs the services g-api and s-proxy; enable them, or disable the plugin"
    fi
    if [[ "$GLANCE_ENABLE_MULTIPLE_STORES" != "True" ]]; then
        die $LINENO "glance_store_bufswift is one of several stores; unset GLANCE_ENABLE_MULTIPLE_STORES or set it to True"
    fi
    # The functions that write glance-api.conf take a section for a regex.
    if [[ ! "$GLANCE_BUFSWIFT_STORE" =~ ^[A-Za-z0-9_-]+$ ]]; then
        die $LINENO "GLANCE_BUFSWIFT_STORE may have letters, digits, dashes and underscores, not '$GLANCE_BUFSWIFT_STORE'"
    fi
}

function install_bufswift {
    setup_develop "$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
}

# other_backends_bufswift() - what enabled_backends has beside this store
function other_backends_bufswift {
    local backend others=""
    local backends
    backends=$(iniget "$GLANCE_API_CONF" DEFAULT enabled_backends)
    for backend in ${backends//,/ }; do
        if [[ "$backend" != "$GLANCE_BUFSWIFT_STORE":* ]]; then
            others+=",$backend"
        fi
    done
    echo "${others#,}"
}

function configure_bufswift_store {
    local section=$GLANCE_BUFSWIFT_STORE
    local options=(
        "swift_store_config_file $GLANCE_SWIFT_STORE_CONF"
        "default_swift_reference ref1"
        "swift_store_create_container_on_put True"
        "swift_store_container $GLANCE_BUFSWIFT_CONTAINER"
        "swift_store_large_object_chunk_size $GLANCE_BUFSWIFT_SEGMENT_SIZE"
        "swift_buffered_dir $GLANCE_BUFSWIFT_DIR"
        "swift_buffered_disk_quota $GLANCE_BUFSWIFT_DISK_QUOTA"
    )
    if is_service_enabled tls-proxy; then
        options+=("swift_store_cacert $SSL_BUNDLE_FILE")
    fi
    local option
    for option in "${options[@]}"; do
        iniset "$GLANCE_API_CONF" "$section" "${option%% *}" "${option#* }"
    done
}

# The domains are written by create_glance_accounts, which also creates the
# user glance-swift.
function configure_bufswift_account {
    iniset "$GLANCE_SWIFT_STORE_CONF" ref1 user "$SERVICE_PROJECT_NAME:glance-swift"
    iniset "$GLANCE_SWIFT_STORE_CONF" ref1 key "$SERVICE_PASSWORD"
    iniset "$GLANCE_SWIFT_STORE_CONF" ref1 auth_address "$KEYSTONE_SERVICE_URI/v3"
    iniset "$GLANCE_SWIFT_STORE_CONF" ref1 auth_version 3
}

function configure_bufswift {
    sudo install -d -o "$STACK_USER" -m 0700 "$GLANCE_BUFSWIFT_DIR"
    configure_bufswift_account
    configure_bufswift_store
    local backends others
    others=$(other_backends_bufswift)
    backends="$GLANCE_BUFSWIFT_STORE:swift+buffered${others:+,$others}"
    iniset "$GLANCE_API_CONF" DEFAULT enabled_backends "$backends"
    if [[ "$GLANCE_BUFSWIFT_DEFAULT" == "True" ]]; then
        iniset "$GLANCE_API_CONF" glance_store default_backend "$GLANCE_BUFSWIFT_STORE"
    fi
}

# forget_bufswift() - leave no store in glance-api.conf that a later run of
# stack.sh without this plugin would start Glance with
function forget_bufswift {
    if [[ ! -w "$GLANCE_API_CONF" ]]; then
        return 0
    fi
    local others
    others=$(other_backends_bufswift)
    inidelete "$GLANCE_API_CONF" DEFAULT enabled_backends
    if [[ -n "$others" ]]; then
        iniset "$GLANCE_API_CONF" DEFAULT enabled_backends "$others"
    fi
    if [[ "$(iniget "$GLANCE_API_CONF" glance_store default_backend)" == "$GLANCE_BUFSWIFT_STORE" ]]; then
        inidelete "$GLANCE_API_CONF" glance_store default_backend
    fi
}

# cleanup_bufswift() - remove what is ours in the buffer directory, which may
# be any directory of the operator's
function cleanup_bufswift {
    sudo rm -f "$GLANCE_BUFSWIFT_DIR/.glance-store-bufswift.quota"
    if [[ -d "$GLANCE_BUFSWIFT_DIR" ]]; then
        sudo rmdir --ignore-fail-on-non-empty "$GLANCE_BUFSWIFT_DIR"
    fi
}

case "$1 $2" in
    "stack pre-install") check_bufswift ;;
    "stack install")
        echo_summary "Installing glance_store_bufswift"
        install_bufswift
        ;;
    "stack post-config")
        echo_summary "Configuring the Glance store $GLANCE_BUFSWIFT_STORE"
        configure_bufswift
        ;;
    "unstack ") forget_bufswift ;;
    "clean ") cleanup_bufswift ;;
esac
