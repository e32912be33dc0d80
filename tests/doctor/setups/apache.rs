//! Apache httpd.

use super::{CUT_WHEN_IDLE, Cure, Hop, REFUSED, SETUP, Setup, Symptom};
use crate::products::APACHE;

macro_rules! apache {
    ($lines:literal) => {
        apache!("LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so\n", $lines)
    };
    ($modules:literal, $lines:literal) => {
        Hop {
            product: &APACHE,
            configuration: concat!(
                "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n",
                "LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n",
                "LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so\n",
                $modules,
                "ServerName hop\nServerRoot @own@\nDefaultRuntimeDir @own@\nPidFile @own@/pid\nErrorLog /dev/stderr\n",
                "Listen @listen@\n",
                $lines
            ),
        }
    };
}

pub(super) use apache;

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "Apache without upgrade=websocket",
        hops: &[apache!("#CHANGE\nProxyPass / http://@next@/\n")],
        symptom: Symptom::Fails("upgrade_refused"),
        expected: REFUSED,
        cure: Cure::Changes {
            check: "upgrade",
            hop: 0,
            lines: &["ProxyPass / http://@next@/ upgrade=websocket"],
            then: Symptom::Opens,
        },
        ..SETUP
    },
    Setup {
        name: "Apache without mod_proxy_http and mod_proxy_wstunnel",
        hops: &[apache!("", "#CHANGE\nProxyPass / ws://@next@/\n")],
        symptom: Symptom::Refused(500),
        expected: REFUSED,
        ..SETUP
    },
    Setup {
        name: "Apache Timeout 4",
        hops: &[apache!("#CHANGE\nTimeout 4\nProxyPass / http://@next@/ upgrade=websocket\n")],
        symptom: Symptom::Idle(4),
        expected: CUT_WHEN_IDLE,
        cure: Cure::Changes {
            check: "idle-timeout",
            hop: 0,
            lines: &["ProxyTimeout 3600"],
            then: Symptom::Survives(5),
        },
        ..SETUP
    },
    Setup {
        name: "Apache before a dead server",
        hops: &[apache!("ProxyPass / http://@dead@/ upgrade=websocket\n")],
        symptom: Symptom::Refused(503),
        expected: REFUSED,
        ..SETUP
    },
];
