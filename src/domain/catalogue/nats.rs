//! What tracks TCP connections below the application: NATs, firewalls, load balancers.

use super::product::Product;
use super::timeout::{
    CutKind, ProductFamily, SettingChange, Timeout, TimeoutValue, TimerReset, TypicalSetting, s,
};

const NAT: Timeout = Timeout {
    family: ProductFamily::Nat,
    resets: Some(TimerReset::TcpKeepaliveToo),
    pings_count: Some(true),
    ..Timeout::BLANK
};

pub(super) const NATS: &[Product] = &[
    Product {
        id: "aws.natgw",
        name: "AWS NAT gateway",
        timeouts: &[Timeout {
            id: "aws.natgw",
            product: "AWS NAT gateway",
            setting: "(fixed)",
            value: TimeoutValue::After(s(350)),
            cuts: &[CutKind::RstOnUse, CutKind::Silent],
            cut_note: "the inner host's next packet gets an RST, never a FIN",
            change: SettingChange::Fixed,
            source: "AWS VPC user guide: NAT gateway troubleshooting (\"idle for 350 seconds or more, the \
                         connection times out\"), comparison of NAT gateways and instances (\"does not send a FIN \
                         packet\")",
            common: true,
            ..NAT
        }],
        ..Product::BLANK
    },
    Product {
        id: "aws.network_firewall",
        name: "AWS Network Firewall",
        timeouts: &[Timeout {
            id: "aws.network_firewall",
            product: "AWS Network Firewall",
            setting: "FlowTimeouts.TcpIdleTimeoutSeconds",
            value: TimeoutValue::After(s(350)),
            most: Some(s(6000)),
            resets_note: "the documentation names TCP keepalives",
            cuts: &[CutKind::Silent],
            cut_note: "data packets are dropped after the timeout",
            change: SettingChange::Set("FlowTimeouts: { TcpIdleTimeoutSeconds: 6000 }"),
            source: "docs.aws.amazon.com/network-firewall/latest/APIReference/API_FlowTimeouts.html",
            least: Some(s(60)),
            ..NAT
        }],
        ..Product::BLANK
    },
    Product {
        id: "azure.lb",
        name: "Azure Load Balancer",
        timeouts: &[Timeout {
            id: "azure.lb",
            product: "Azure Load Balancer",
            setting: "idle timeout of the rule",
            value: TimeoutValue::After(s(240)),
            most: Some(s(1800)),
            cuts: &[CutKind::Silent, CutKind::Rst],
            cut_note: "an RST to both sides only where \"TCP reset on idle\" is enabled on the rule",
            change: SettingChange::Set(
                "az network lb rule update -g GROUP --lb-name NAME -n RULE --idle-timeout 30 --enable-tcp-reset \
                     true",
            ),
            note: Some("4 to 30 minutes for rules (newer documentation: up to 100), 4 to 100 outbound"),
            source: "MicrosoftDocs/azure-docs articles/load-balancer/load-balancer-tcp-reset.md",
            common: true,
            least: Some(s(240)),
            ..NAT
        }],
        ..Product::BLANK
    },
    Product {
        id: "azure.natgw",
        name: "Azure NAT Gateway",
        timeouts: &[Timeout {
            id: "azure.natgw",
            product: "Azure NAT Gateway",
            setting: "TCP idle timeout",
            value: TimeoutValue::After(s(240)),
            most: Some(s(7200)),
            cuts: &[CutKind::Silent, CutKind::RstOnUse],
            cut_note: "whether it is silent or answers the next packet by an RST was not verified",
            change: SettingChange::Set("az network nat gateway update -g GROUP -n NAME --idle-timeout 120"),
            source: "MicrosoftDocs/azure-docs NAT Gateway FAQ: \"defaults to 4 minutes but can be increased up \
                         to 120 minutes\"",
            least: Some(s(240)),
            ..NAT
        }],
        ..Product::BLANK
    },
    Product {
        id: "gcp.cloudnat",
        name: "Google Cloud NAT",
        timeouts: &[Timeout {
            id: "gcp.cloudnat",
            product: "Google Cloud NAT",
            setting: "tcpEstablishedIdleTimeoutSec",
            value: TimeoutValue::After(s(1200)),
            most: Some(s(7200)),
            cuts: &[CutKind::Silent],
            change: SettingChange::Set(
                "gcloud compute routers nats update NAME --router=ROUTER --tcp-established-idle-timeout=7200s",
            ),
            note: Some("Private Service Connect has 20 minutes too, fixed"),
            source: "Google Cloud NAT documentation; the defaults of Terraform's google provider",
            common: true,
            ..NAT
        }],
        ..Product::BLANK
    },
    Product {
        id: "gcp.vpc_firewall",
        name: "Google Cloud VPC firewall (connection tracking)",
        timeouts: &[Timeout {
            id: "gcp.vpc_firewall",
            product: "Google Cloud VPC firewall (connection tracking)",
            setting: "(fixed)",
            value: TimeoutValue::After(s(600)),
            resets_note: "one packet in either direction",
            cuts: &[CutKind::Silent],
            cut_note: "incoming packets are dropped until one has gone out",
            change: SettingChange::Fixed,
            note: Some(
                "it works again when the inner host sends first: a probe from inside then sees nothing, while what \
                     the outside sends is lost",
            ),
            source: "cloud.google.com/compute/docs/troubleshooting: connection tracking of 10 minutes",
            ..NAT
        }],
        ..Product::BLANK
    },
    Product {
        id: "oci.nlb",
        name: "Oracle Cloud network load balancer",
        timeouts: &[Timeout {
            id: "oci.nlb",
            product: "Oracle Cloud network load balancer",
            setting: "tcpIdleTimeout",
            value: TimeoutValue::After(s(360)),
            resets: None,
            resets_note: "what counts as traffic is not documented",
            pings_count: None,
            cuts: &[CutKind::Silent, CutKind::RstOnUse],
            cut_note: "not documented",
            change: SettingChange::Set(
                "oci nlb listener update --listener-name NAME --tcp-idle-timeout 1200",
            ),
            source: "docs.oracle.com/en-us/iaas/Content/NetworkLoadBalancer/NetworkLoadBalancers/configure-idle-timeout.htm",
            ..NAT
        }],
        ..Product::BLANK
    },
    Product {
        id: "linux.conntrack",
        name: "Linux netfilter connection tracking",
        timeouts: &[Timeout {
            id: "linux.conntrack",
            product: "Linux netfilter connection tracking",
            setting: "nf_conntrack_tcp_timeout_established",
            value: TimeoutValue::After(s(432_000)),
            typical: &[
                TypicalSetting { value: s(7440), whose: "OpenWrt and other appliances" },
                TypicalSetting { value: s(3600), whose: "some appliances" },
            ],
            cuts: &[CutKind::Silent, CutKind::RstOnUse],
            cut_note: "later packets may be dropped as INVALID, or rejected by a rule",
            change: SettingChange::Set("sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=432000"),
            note: Some("while data is unacknowledged, shorter timers hold: 300 s"),
            source: "Linux Documentation/networking/nf_conntrack-sysctl.rst",
            common: true,
            ..NAT
        }],
        ..Product::BLANK
    },
    Product {
        id: "rfc5382",
        name: "NAT by RFC 5382",
        timeouts: &[Timeout {
            id: "rfc5382",
            product: "NAT by RFC 5382",
            setting: "established connection idle timeout (REQ-5: not less than this)",
            value: TimeoutValue::After(s(7440)),
            cuts: &[CutKind::Silent, CutKind::RstOnUse],
            change: SettingChange::Fixed,
            note: Some("many NATs at home are far below it"),
            source: "RFC 5382 section 5, REQ-5 (2 hours 4 minutes)",
            ..NAT
        }],
        ..Product::BLANK
    },
    Product {
        id: "ipvs",
        name: "Linux IPVS (kube-proxy in ipvs mode, Docker swarm ingress)",
        timeouts: &[Timeout {
            id: "ipvs",
            product: "Linux IPVS (kube-proxy in ipvs mode, Docker swarm ingress)",
            setting: "ipvsadm --set (tcp)",
            value: TimeoutValue::After(s(900)),
            cuts: &[CutKind::RstOnUse, CutKind::Silent],
            cut_note: "the entry expires, and the next packet gets an RST or is dropped",
            change: SettingChange::Set("ipvsadm --set 7200 120 300"),
            note: Some("`ipvsadm -l --timeout` says: Timeout (tcp tcpfin udp): 900 120 300"),
            source: "gooth.org, \"IPVS connection timeout issue\" (2018); moby/moby#31208",
            ..NAT
        }],
        ..Product::BLANK
    },
];
