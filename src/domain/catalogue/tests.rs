//! What holds of every entry, and that no fact was lost.

use std::collections::HashSet;
use std::time::Duration;

use super::*;

/// Each fact as it stood when there were three tables, in the form of `Debug`. What is corrected or verified since then is
/// changed here, too, with its reason in the commit; nothing is taken out.
const FACTS_BEFORE: &str = include_str!("facts_before.txt");

#[test]
fn no_fact_of_the_tables_that_were_merged_is_lost() {
    let facts: HashSet<String> = presets()
        .map(|preset| format!("{preset:?}"))
        .chain(timeouts().map(|timeout| format!("{timeout:?}")))
        .chain(reaping_defaults().map(|reaping| format!("{reaping:?}")))
        .collect();
    for fact in FACTS_BEFORE.lines() {
        assert!(facts.contains(fact), "lost or changed: {fact}");
    }
    assert!(FACTS_BEFORE.lines().count() >= 161);
}

/// The heartbeats that were known by themselves when they had a table and a language of their own.
#[test]
fn no_known_heartbeat_is_lost() {
    let known = |name: &str| {
        let ping = known_pings().find(|ping| ping.name == name);
        ping.map(|ping| (ping.looks, ping.reply))
    };
    for (name, looks, reply) in [
        ("Engine.IO 4", "2", Some("3")),
        ("Action Cable", r#"{"type":"ping","message":{seq}}"#, None),
        ("type: ping", r#"{"type":"ping"}"#, Some(r#"{"type":"pong"}"#)),
        ("Pusher", r#"{"event":"pusher:ping"}"#, Some(r#"{"event":"pusher:pong"}"#)),
        ("event: ping", r#"{"event":"ping"}"#, Some(r#"{"event":"pong"}"#)),
        ("op: ping", r#"{"op":"ping"}"#, Some(r#"{"op":"pong"}"#)),
        ("Meteor DDP", r#"{"msg":"ping"}"#, Some(r#"{"msg":"pong"}"#)),
        ("action: ping", r#"{"action":"ping"}"#, Some(r#"{"action":"pong"}"#)),
        ("cmd: ping", r#"{"cmd":"ping"}"#, Some(r#"{"cmd":"pong"}"#)),
        ("ping: number", r#"{"ping":{seq}}"#, Some(r#"{"pong":{seq}}"#)),
        ("Centrifugo", "text:{}", Some("text:{}")),
        ("text ping", "ping", Some("pong")),
        ("text PING", "PING", Some("PONG")),
        ("text Ping", "Ping", Some("Pong")),
        ("GraphQL ka", r#"{"type":"ka"}"#, None),
        ("type: heartbeat", r#"{"type":"heartbeat"}"#, None),
        ("channel: heartbeat", r#"{"channel":"heartbeat"}"#, None),
        ("SignalR", r#"text:{"type":6}"#, None),
        ("SockJS", "h", None),
        ("empty", "text:", None),
    ] {
        assert_eq!(known(name), Some((looks, reply)), "{name}");
    }
}

#[test]
fn every_product_has_a_name_of_its_own_and_says_something() {
    let mut seen = HashSet::new();
    for product in products() {
        assert!(seen.insert(product.id), "{} twice", product.id);
        assert!(!product.name.is_empty(), "{}", product.id);
        let facts =
            product.speaks.len() + product.pings.len() + product.timeouts.len() + product.reaping.len();
        assert!(facts > 0, "{} says nothing", product.id);
    }
}

/// What is surest stands first.
#[test]
fn facts_of_a_product_stand_in_the_order_of_their_confidence() {
    for product in products() {
        let confidences = product.timeouts.iter().map(|timeout| timeout.confidence == Confidence::Medium);
        assert!(confidences.is_sorted(), "{}", product.id);
        let levels = product.speaks.iter().map(|preset| preset.verified == VerificationLevel::FromSource);
        assert!(levels.is_sorted(), "{}", product.id);
    }
}

#[test]
fn every_timeout_has_a_unique_name_and_a_source() {
    let mut seen = HashSet::new();
    for timeout in timeouts() {
        assert!(seen.insert(timeout.id), "{} twice", timeout.id);
        for text in [timeout.id, timeout.product, timeout.setting, timeout.source] {
            assert!(!text.is_empty(), "{}", timeout.id);
        }
    }
}

#[test]
fn every_reaping_default_has_a_unique_name_and_a_source() {
    let mut seen = HashSet::new();
    for reaping in reaping_defaults() {
        assert!(seen.insert(reaping.id), "{} twice", reaping.id);
        assert!(!reaping.source.is_empty() && !reaping.words.is_empty(), "{}", reaping.id);
    }
}

/// One timer that is told twice, for a search and for a test of dead clients, is told alike.
#[test]
fn facts_of_one_product_agree() {
    for product in products() {
        for reaping in product.reaping {
            let ReapingTiming::Idle { after, coarse, resets } = reaping.timing else { continue };
            for timeout in product.timeouts.iter().filter(|timeout| timeout.kind == TimeoutKind::Idle) {
                let told = (timeout.value, timeout.coarse, timeout.resets);
                assert_eq!(told, (TimeoutValue::After(after), coarse, Some(resets)), "{}", product.id);
            }
        }
    }
}

#[test]
fn a_preset_is_found_by_each_of_its_names() {
    let name = |typed| find_preset(typed).map(|preset| preset.name);
    assert_eq!(name("engine.io"), Some("engine.io"));
    assert_eq!(name("EngineIO4"), Some("engine.io"));
    assert_eq!(name("graphql-transport-ws"), Some("graphql-ws"));
    assert_eq!(name("nope"), None);
}

#[test]
fn a_misspelled_preset_gives_suggestions() {
    assert_eq!(near_presets("enginio")[0], "engine.io");
    assert!(near_presets("phonix").contains(&"phoenix".to_string()));
    assert!(near_presets("mexc-fut").contains(&"mexc-futures".to_string()));
    assert!(near_presets("qqqqqq").is_empty());
}

#[test]
fn no_name_means_two_presets() {
    let names: Vec<&str> =
        presets().flat_map(|preset| preset.aliases.iter().chain([&preset.name])).copied().collect();
    for (n, name) in names.iter().enumerate() {
        assert!(!names[..n].contains(name), "{name} twice");
        assert_eq!(name.to_lowercase(), *name, "names are typed in lower case");
        assert_ne!(*name, "auto", "it has a meaning of its own");
    }
}

#[test]
fn a_product_is_found_by_its_id_or_by_part_of_any_name() {
    let ids = |text: &str| find_products(text).iter().map(|product| product.id).collect::<Vec<_>>();
    assert_eq!(ids("nginx"), ["nginx"], "an id alone, not ingress-nginx");
    assert_eq!(ids("eio4"), ["socket.io"], "by a preset's other name");
    assert_eq!(ids("k8s.kubelet"), ["kubernetes"], "by a timeout");
    assert_eq!(ids("isAlive"), ["ws"], "by the name of a default");
    assert!(ids("aws").len() > 8 && ids("no such thing").is_empty());
    assert_eq!(near_products("phonix")[0], "phoenix");
}

#[test]
fn entry_that_cuts_has_a_time_a_cut_and_a_reset() {
    for timeout in timeouts().filter(|timeout| timeout.value.span().is_some()) {
        assert!(timeout.value.span() > Some(Duration::ZERO), "{}", timeout.id);
        assert!(!timeout.cuts.is_empty(), "{}: how it cuts", timeout.id);
        let is_described = timeout.resets.is_some() || !timeout.resets_note.is_empty();
        assert!(is_described, "{}: what resets it", timeout.id);
        assert!(
            timeout.change != SettingChange::Nothing || timeout.kind == TimeoutKind::Other,
            "{}",
            timeout.id
        );
        assert!(timeout.most.is_none_or(|most| Some(most) >= timeout.value.span()), "{}", timeout.id);
    }
}

#[test]
fn nothing_resets_a_lifetime() {
    for timeout in timeouts().filter(|timeout| timeout.kind == TimeoutKind::Lifetime) {
        assert_eq!(timeout.resets, Some(TimerReset::Nothing), "{}", timeout.id);
    }
}

#[test]
fn common_false_claims_are_corrected() {
    let by_id = |id: &str| timeouts().find(|timeout| timeout.id == id).unwrap();
    let nginx = by_id("nginx.proxy_read_timeout");
    assert_eq!((nginx.resets, nginx.pings_count), (Some(TimerReset::Either), Some(true)));
    assert_eq!(by_id("haproxy.default").value, TimeoutValue::Unset);
    assert_eq!(by_id("gcp.classic_alb").kind, TimeoutKind::Lifetime);
    for id in ["nginx.proxy_read_timeout", "haproxy.default", "gcp.classic_alb", "cloudflare.proxy"] {
        assert!(by_id(id).folklore.is_some(), "{id}");
    }
}

#[test]
fn product_is_found_by_part_of_its_name_or_id() {
    assert!(find_timeouts("NGINX").len() > 4);
    assert!(find_timeouts("natgw").iter().all(|timeout| timeout.id.ends_with("natgw")));
    assert_eq!(find_timeouts("heroku").len(), 1);
    assert!(find_timeouts("no such thing").is_empty());
}

#[test]
fn misspelled_name_gives_suggestions() {
    assert_eq!(near_timeouts("ngnix"), ["nginx"]);
    assert_eq!(near_timeouts("Clodflare").first().map(String::as_str), Some("cloudflare"));
    assert!(near_timeouts("zzzz").is_empty());
    for word in
        ["ngnix", "clodflare", "hproxy", "amazn", "azur"].iter().flat_map(|typed| near_timeouts(typed))
    {
        assert!(!find_timeouts(&word).is_empty(), "{word}");
    }
}
